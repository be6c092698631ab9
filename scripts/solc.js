#!/usr/bin/env node
// The npm compiler under the command line that forge and ape expect: --version, --standard-json on stdin, --base-path.
// A native solc is preferred where the machine has one (scripts/setup.py decides).
"use strict";
const fs = require("fs");
const path = require("path");

const root = process.env.GIMBAL_ROOT || path.resolve(__dirname, "..");
const solc = require(path.join(root, "node_modules", process.env.GIMBAL_SOLC_PACKAGE || "solc"));
const args = process.argv.slice(2);

if (args.includes("--version")) {
  // Tools look for a native platform name.
  console.log("solc, the solidity compiler commandline interface");
  console.log("Version: " + solc.version().replace("Emscripten.clang", "Linux.g++"));
  process.exit(0);
}

const valuesOf = (flag) => args.flatMap((a, i) => (a === flag && args[i + 1] ? [args[i + 1]] : []));
const bases = [...valuesOf("--base-path"), ...valuesOf("--include-path"), process.cwd()];

function findImport(name) {
  for (const base of bases) {
    const file = path.resolve(base, name);
    if (fs.existsSync(file)) return { contents: fs.readFileSync(file, "utf8") };
  }
  return { error: "not found: " + name };
}

const input = fs.readFileSync(0, "utf8");
process.stdout.write(solc.compile(input, { import: findImport }));

"""What strategies and rules did on real history; `make study` prints it and writes build/study/."""

// A disk that takes its time: preloaded, it lets every `fsync` and `fdatasync` wait for DISK_US microseconds more. So a figure that depends on what
// the disk takes can be had on any machine.
//
//   cc -shared -fPIC -O2 -o target/slow-disk.so benches/slow-disk.c
//   DISK_US=2000 LD_PRELOAD=$PWD/target/slow-disk.so target/bench/release/durable
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int after_a_while(const char *name, int file) {
  const char *text = getenv("DISK_US");
  long us = text ? atol(text) : 0;
  struct timespec time = {us / 1000000, us % 1000000 * 1000};
  nanosleep(&time, NULL);
  int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  return next(file);
}

int fdatasync(int file) { return after_a_while("fdatasync", file); }
int fsync(int file) { return after_a_while("fsync", file); }

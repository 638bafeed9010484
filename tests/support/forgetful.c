/* A disk that forgets: what a process writes to log.jsonl stays in its memory until it syncs the file.
 *
 *     write(log.jsonl) --> memory of the process --fdatasync, fsync--> file
 *                               `--kill -9--> gone
 *
 * Preloaded (LD_PRELOAD) into node processes, it makes every SIGKILL a power loss, so that a test sees whether what
 * was acknowledged had been synced.  Only what Python calls is here.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 4096

static struct { char *data; size_t size; } held[MOST];
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

static int is_log(int file) {
    char name[64], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t size = file >= 0 && file < MOST ? readlink(name, path, sizeof path) : -1;
    return size >= 10 && memcmp(path + size - 10, "/log.jsonl", 10) == 0;
}

static ssize_t really_write(int file, const void *data, size_t size) {
    ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return next(file, data, size);
}

ssize_t write(int file, const void *data, size_t size) {
    if (!is_log(file)) return really_write(file, data, size);
    pthread_mutex_lock(&guard);
    char *grown = realloc(held[file].data, held[file].size + size);
    if (!grown) abort();
    memcpy(grown + held[file].size, data, size);
    held[file].data = grown;
    held[file].size += size;
    pthread_mutex_unlock(&guard);
    return (ssize_t) size;
}

static void keep(int file) {
    if (!is_log(file)) return;
    pthread_mutex_lock(&guard);
    if (held[file].size && really_write(file, held[file].data, held[file].size) != (ssize_t) held[file].size) abort();
    held[file].size = 0;
    pthread_mutex_unlock(&guard);
}

int fdatasync(int file) {
    int (*next)(int) = dlsym(RTLD_NEXT, "fdatasync");
    keep(file);
    return next(file);
}

int fsync(int file) {
    int (*next)(int) = dlsym(RTLD_NEXT, "fsync");
    keep(file);
    return next(file);
}

int close(int file) {
    int (*next)(int) = dlsym(RTLD_NEXT, "close");
    if (file >= 0 && file < MOST && held[file].size && is_log(file)) held[file].size = 0;
    return next(file);
}

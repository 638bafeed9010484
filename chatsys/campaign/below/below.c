/* What is below a node: a library that is loaded before the C library (LD_PRELOAD), watches, and makes things worse.
 *
 *     node process --open, write, fdatasync, ftruncate, mkdir, send--> here --> the system
 *                                                                       `--> one event each, into a file (watch=FOLDER)
 *
 * CHATSYS_BELOW (or below_set, while a process runs) has words, separated by spaces:
 *
 *     watch=FOLDER           write down each event with the true monotonic time, before and after
 *     forgets=P              what is written to a log stays in memory until it is synced, so kill -9 is a power loss;
 *                            with probability P a part of it reaches the disk before that: the write is torn
 *     slow=LOW:HIGH:PART     a sync of a log whose path has PART in it takes so many seconds longer
 *     deaf=1                 a sync does nothing, and is not written down: as if the program had left it out
 *     short=P                with probability P a write takes only a part of what it is given
 *     wall=SECONDS           the wall clock jumps by up to so much, forwards and backwards, every second
 *     drift=D                the monotonic clock of each process has a rate between 1-D and 1+D, which is written down
 *     fail=CALL:PART:N:M:ERRNO   the N-th to M-th such call on a path that has PART in it fails: open read write sync cut
 *
 * Only what Python and uvloop call is here.  A failed sync drops what it should have written, as Linux does.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MOST 4096
#define REAL(name) ((__typeof__(&name)) real(&cached_##name, #name))
#define CACHE(name) static void *cached_##name

enum { OPEN = 1, WRITE, SYNC, CUT, SEND, CLOSE, BIND, MKDIR, CLOCK };
enum { UNKNOWN, OTHER, LOG, SOCKET };
enum { C_OPEN, C_READ, C_WRITE, C_SYNC, C_CUT, CALLS };
static const char *const CALL_NAMES[CALLS] = {"open", "read", "write", "sync", "cut"};

static struct { char *data; size_t size; } held[MOST];
static unsigned char kinds[MOST];
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static int watching = -1, forgets, deaf, rules;
static char slow_part[200];
static double torn, slow_low, slow_high, shorter, wall, rate = 1.0;
static struct { int call; char part[200]; long first, last, count; int error; } rule[16];
static uint64_t dice = 88172645463325252ull, base;

static void *real(void **cache, const char *name) {
    if (!*cache) *cache = dlsym(RTLD_NEXT, name);
    return *cache;
}

static double chance(void) { /* xorshift64; its seed is the process id, so that a run is not made of equal processes */
    dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
    return (double) (dice >> 11) / (double) (1ull << 53);
}

static uint64_t true_time(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000000ull + (uint64_t) now.tv_nsec;
}

static void tell(int kind, int file, uint64_t began, int64_t offset, int64_t result, const char *path,
                 const struct iovec *data, int pieces);

/* --- what is set ----------------------------------------------------------------------------------------------- */

static void set_rule(const char *text) {
    char call[16];
    int which = rules;
    if (which == 16 || sscanf(text, "%15[^:]:%199[^:]:%ld:%ld:%d", call, rule[which].part, &rule[which].first,
                              &rule[which].last, &rule[which].error) != 5) abort();
    for (rule[which].call = 0; strcmp(CALL_NAMES[rule[which].call], call); )
        if (++rule[which].call == CALLS) abort();
    rule[which].count = 0;
    rules++;
}

void below_set(const char *words) {
    char text[4096], *rest = text, *word;
    double drift = 0;
    pthread_mutex_lock(&guard);
    rules = forgets = deaf = 0, torn = slow_low = slow_high = shorter = wall = 0;
    snprintf(text, sizeof text, "%s", words);
    while ((word = strsep(&rest, " "))) {
        char *value = strchr(word, '=');
        if (!value++) continue;
        if (!strncmp(word, "watch=", 6) && watching < 0) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%llu-%d.events", value, (unsigned long long) true_time(), getpid());
            int file = (int) syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
            watching = fcntl(file, F_DUPFD_CLOEXEC, 500);
            syscall(SYS_close, file);
        }
        else if (!strncmp(word, "forgets=", 8)) forgets = 1, torn = atof(value);
        else if (!strncmp(word, "slow=", 5)) sscanf(value, "%lf:%lf:%199s", &slow_low, &slow_high, slow_part);
        else if (!strncmp(word, "deaf=", 5)) deaf = atoi(value);
        else if (!strncmp(word, "short=", 6)) shorter = atof(value);
        else if (!strncmp(word, "wall=", 5)) wall = atof(value);
        else if (!strncmp(word, "drift=", 6)) drift = atof(value);
        else if (!strncmp(word, "fail=", 5)) set_rule(value);
    }
    if (drift > 0 && rate == 1.0) rate = 1 - drift + 2 * drift * chance();
    pthread_mutex_unlock(&guard);
    tell(CLOCK, -1, base, (int64_t) (rate * 1e9), 0, NULL, NULL, 0);
}

__attribute__((constructor)) static void begin(void) {
    base = true_time();
    dice ^= (uint64_t) getpid() * 0x9E3779B97F4A7C15ull;
    for (int turn = 0; turn < 8; turn++) chance();
    const char *words = getenv("CHATSYS_BELOW");
    if (words) below_set(words);
}

/* --- what is seen ---------------------------------------------------------------------------------------------- */

static size_t path_of(int file, char *path, size_t room) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t size = readlink(name, path, room - 1);
    path[size < 0 ? 0 : size] = 0;
    return size < 0 ? 0 : (size_t) size;
}

static int kind_of(int file) {
    if (file < 0 || file >= MOST) return OTHER;
    if (kinds[file] == UNKNOWN) {
        struct stat facts;
        char path[4096];
        size_t size = path_of(file, path, sizeof path);
        int is_log = size >= 10 && !strcmp(path + size - 10, "/log.jsonl");
        kinds[file] = fstat(file, &facts) ? OTHER : S_ISSOCK(facts.st_mode) ? SOCKET : is_log ? LOG : OTHER;
    }
    return kinds[file];
}

static void tell(int kind, int file, uint64_t began, int64_t offset, int64_t result, const char *path,
                 const struct iovec *data, int pieces) {
    if (watching < 0) return;
    int error = errno;
    size_t size = 0, name = path ? strlen(path) : 0;
    for (int piece = 0; piece < pieces; piece++) size += data[piece].iov_len;
    if (kind == SEND || kind == WRITE) size = result > 0 ? (size_t) result : 0;
    struct { uint32_t kind, file, name, size; uint64_t began, ended; int64_t offset, result; int32_t pid, error; }
        head = {(uint32_t) kind, (uint32_t) file, (uint32_t) name, (uint32_t) size, began, true_time(), offset, result,
                getpid(), result < 0 ? error : 0};
    char *event = malloc(sizeof head + name + size), *at = event;
    if (!event) abort();
    memcpy(at, &head, sizeof head), at += sizeof head;
    if (name) memcpy(at, path, name), at += name;
    for (int piece = 0; size; piece++) {
        size_t part = data[piece].iov_len < size ? data[piece].iov_len : size;
        memcpy(at, data[piece].iov_base, part), at += part, size -= part;
    }
    if (syscall(SYS_write, watching, event, at - event) != at - event) abort();
    free(event);
    errno = error;
}

static void tell_file(int kind, int file, uint64_t began, int64_t offset, int64_t result, const void *data, size_t size) {
    char path[4096];
    struct iovec piece = {(void *) data, size};
    path_of(file, path, sizeof path);
    tell(kind, file, began, offset, result, path, &piece, data != NULL);
}

static void tell_send(int file, uint64_t began, ssize_t result, const struct iovec *data, int pieces) {
    struct sockaddr_storage peer = {0};
    socklen_t size = sizeof peer;
    int port = getpeername(file, (struct sockaddr *) &peer, &size) ? 0 : ntohs(((struct sockaddr_in *) &peer)->sin_port);
    if (result > 0) tell(SEND, file, began, port, result, NULL, data, pieces);
}

/* Return the number of the error with which this call on this path must fail, or 0. */
static int failing(int call, const char *path) {
    for (int which = 0; which < rules; which++)
        if (rule[which].call == call && strstr(path, rule[which].part)) {
            long count = __sync_add_and_fetch(&rule[which].count, 1);
            if (rule[which].first <= count && count <= rule[which].last) return rule[which].error;
        }
    return 0;
}

static int file_fails(int call, int file) {
    char path[4096];
    if (!rules) return 0;
    path_of(file, path, sizeof path);
    return (errno = failing(call, path)) != 0;
}

/* --- files ----------------------------------------------------------------------------------------------------- */

CACHE(write), *cached_fdatasync, *cached_fsync, *cached_ftruncate, *cached_close, *cached_read, *cached_mkdir, *cached_dup2;

static int64_t size_of(int file) {
    struct stat facts;
    return fstat(file, &facts) ? 0 : facts.st_size;
}

/* Let the first `size` bytes of what is held reach the file. */
static void let_go(int file, size_t size) {
    if (!size) return;
    if (REAL(write)(file, held[file].data, size) != (ssize_t) size) abort();
    memmove(held[file].data, held[file].data + size, held[file].size -= size);
}

static ssize_t hold(int file, const void *data, size_t size) {
    pthread_mutex_lock(&guard);
    char *grown = realloc(held[file].data, held[file].size + size + 1);
    if (!grown) abort();
    memcpy(grown + held[file].size, data, size);
    held[file].data = grown;
    held[file].size += size;
    if (chance() < torn) let_go(file, (size_t) (chance() * (double) held[file].size));
    pthread_mutex_unlock(&guard);
    return (ssize_t) size;
}

ssize_t write(int file, const void *data, size_t size) {
    int kind = kind_of(file);
    uint64_t began = true_time();
    if (kind == SOCKET) {
        struct iovec piece = {(void *) data, size};
        ssize_t done = REAL(write)(file, data, size);
        tell_send(file, began, done, &piece, 1);
        return done;
    }
    if (kind != LOG) return REAL(write)(file, data, size);
    int appends = fcntl(file, F_GETFL) & O_APPEND;
    int64_t offset = appends ? size_of(file) + (int64_t) held[file].size : lseek(file, 0, SEEK_CUR);
    ssize_t done = -1;
    if (!file_fails(C_WRITE, file)) {
        if (size > 1 && chance() < shorter) size = 1 + (size_t) (chance() * (double) (size - 1));
        done = forgets && appends ? hold(file, data, size) : REAL(write)(file, data, size);
    }
    tell_file(WRITE, file, began, offset, done, data, size);
    return done;
}

static int is_slow(int file) {
    char path[4096];
    return slow_high > 0 && kind_of(file) == LOG && path_of(file, path, sizeof path) && strstr(path, slow_part);
}

static int synced(int file, int (*next)(int)) {
    uint64_t began = true_time();
    if (deaf) return 0;
    if (is_slow(file)) {
        uint64_t nanos = (uint64_t) ((slow_low + (slow_high - slow_low) * chance()) * 1e9);
        struct timespec pause = {(time_t) (nanos / 1000000000), (long) (nanos % 1000000000)};
        while (syscall(SYS_nanosleep, &pause, &pause) && errno == EINTR) {}
    }
    int done = -1, fails = file_fails(C_SYNC, file) ? errno : 0;
    if (file >= 0 && file < MOST && held[file].size) {
        pthread_mutex_lock(&guard);
        if (fails) held[file].size = 0;
        else let_go(file, held[file].size);
        pthread_mutex_unlock(&guard);
    }
    if (!fails) done = next(file);
    else errno = fails;
    tell_file(SYNC, file, began, 0, done, NULL, 0);
    return done;
}

int fdatasync(int file) { return synced(file, REAL(fdatasync)); }
int fsync(int file) { return synced(file, REAL(fsync)); }

int ftruncate(int file, off_t size) {
    uint64_t began = true_time();
    if (kind_of(file) != LOG) return REAL(ftruncate)(file, size);
    int done = -1;
    if (file_fails(C_CUT, file)) {}
    else if (held[file].size && size >= size_of(file)) held[file].size = (size_t) (size - size_of(file)), done = 0;
    else held[file].size = 0, done = REAL(ftruncate)(file, size);
    tell_file(CUT, file, began, size, done, NULL, 0);
    return done;
}
int ftruncate64(int file, off_t size) { return ftruncate(file, size); }

ssize_t read(int file, void *data, size_t size) {
    if (rules && kind_of(file) == LOG && file_fails(C_READ, file)) return -1;
    return REAL(read)(file, data, size);
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
    uint64_t began = true_time();
    struct stat facts;
    int fresh = (flags & O_CREAT) && fstatat(folder, path, &facts, 0);
    int error = rules ? failing(C_OPEN, path) : 0;
    int file = error ? (errno = error, -1) : (int) syscall(SYS_openat, folder, path, flags, mode);
    if (file >= 0 && file < MOST) kinds[file] = UNKNOWN, held[file].size = 0;
    if (file < 0 || kind_of(file) != LOG) return file;
    /* who only reads begins a life: what he finds is told, too */
    size_t size = flags & (O_WRONLY | O_RDWR) ? 0 : (size_t) size_of(file);
    char *found = size ? malloc(size) : NULL;
    if (found && pread(file, found, size, 0) != (ssize_t) size) abort();
    tell_file(OPEN, file, began, fresh, file, found, size);
    free(found);
    return file;
}

#define OPENS(name, ...)                                                                                               \
    va_list more;                                                                                                      \
    va_start(more, flags);                                                                                             \
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;                                          \
    va_end(more);                                                                                                      \
    return opened(__VA_ARGS__, path, flags, mode);
int open(const char *path, int flags, ...) { OPENS(open, AT_FDCWD) }
int open64(const char *path, int flags, ...) { OPENS(open64, AT_FDCWD) }
int openat(int folder, const char *path, int flags, ...) { OPENS(openat, folder) }
int openat64(int folder, const char *path, int flags, ...) { OPENS(openat64, folder) }

int mkdir(const char *path, mode_t mode) {
    uint64_t began = true_time();
    int done = REAL(mkdir)(path, mode);
    char *whole = done ? NULL : realpath(path, NULL);
    if (whole) tell(MKDIR, -1, began, 0, 0, whole, NULL, 0);
    free(whole);
    return done;
}

int close(int file) {
    int kind = kind_of(file);
    if (kind == SOCKET) tell(CLOSE, file, true_time(), 0, 0, NULL, NULL, 0);
    if (file >= 0 && file < MOST) kinds[file] = UNKNOWN, held[file].size = 0;
    return REAL(close)(file);
}

int dup2(int from, int to) {
    if (to >= 0 && to < MOST) kinds[to] = UNKNOWN;
    return REAL(dup2)(from, to);
}

/* --- what is said ---------------------------------------------------------------------------------------------- */

CACHE(send), *cached_sendto, *cached_sendmsg, *cached_writev, *cached_bind;

ssize_t send(int file, const void *data, size_t size, int flags) {
    uint64_t began = true_time();
    struct iovec piece = {(void *) data, size};
    ssize_t done = REAL(send)(file, data, size, flags);
    tell_send(file, began, done, &piece, 1);
    return done;
}

ssize_t sendto(int file, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t room) {
    uint64_t began = true_time();
    struct iovec piece = {(void *) data, size};
    ssize_t done = REAL(sendto)(file, data, size, flags, to, room);
    tell_send(file, began, done, &piece, 1);
    return done;
}

ssize_t sendmsg(int file, const struct msghdr *message, int flags) {
    uint64_t began = true_time();
    ssize_t done = REAL(sendmsg)(file, message, flags);
    tell_send(file, began, done, message->msg_iov, (int) message->msg_iovlen);
    return done;
}

ssize_t writev(int file, const struct iovec *data, int pieces) {
    uint64_t began = true_time();
    ssize_t done = REAL(writev)(file, data, pieces);
    if (kind_of(file) == SOCKET) tell_send(file, began, done, data, pieces);
    return done;
}

int bind(int file, const struct sockaddr *address, socklen_t size) {
    int done = REAL(bind)(file, address, size);
    if (!done) tell(BIND, file, true_time(), ntohs(((const struct sockaddr_in *) address)->sin_port), 0, NULL, NULL, 0);
    return done;
}

/* --- what time it is ------------------------------------------------------------------------------------------- */

CACHE(clock_nanosleep), *cached_sem_clockwait, *cached_sem_timedwait, *cached_pthread_cond_timedwait, *cached_pthread_cond_clockwait;

#define BILLION 1000000000ll
/* By how much the wall clock is wrong now, the same for all processes: 0, forwards or backwards. */
static int64_t wrong(void) {
    uint64_t second = true_time() / BILLION, mixed = second * 0x9E3779B97F4A7C15ull;
    return (int64_t) (wall * 1e9 * ((double) ((int) (mixed >> 40) % 2001 - 1000) / 1000.0));
}

static int64_t nanos_of(const struct timespec *time) { return (int64_t) time->tv_sec * BILLION + time->tv_nsec; }
static struct timespec timespec_of(int64_t nanos) {
    return (struct timespec) {(time_t) (nanos / BILLION), (long) (nanos % BILLION)};
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int done = (int) syscall(SYS_clock_gettime, clock, time);
    if (done) return done;
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) *time = timespec_of(nanos_of(time) + wrong());
    else if ((clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE) && rate != 1.0)
        *time = timespec_of((int64_t) base + (int64_t) ((double) (nanos_of(time) - (int64_t) base) * rate));
    return 0;
}

/* When it truly is what this process would call `time`; a time since 1970 is one of the wall clock. */
static struct timespec truly(const struct timespec *time) {
    int64_t nanos = nanos_of(time);
    if (time->tv_sec > BILLION) return timespec_of(nanos - wrong());
    return timespec_of((int64_t) base + (int64_t) ((double) (nanos - (int64_t) base) / rate));
}

int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until) {
    struct timespec then = truly(until);
    return REAL(sem_clockwait)(sem, clock, &then);
}

int sem_timedwait(sem_t *sem, const struct timespec *until) {
    struct timespec then = truly(until);
    return REAL(sem_timedwait)(sem, &then);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
    struct timespec then = truly(until);
    return REAL(pthread_cond_timedwait)(condition, mutex, &then);
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until) {
    struct timespec then = truly(until);
    return REAL(pthread_cond_clockwait)(condition, mutex, clock, &then);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left) {
    if (!(flags & TIMER_ABSTIME)) return REAL(clock_nanosleep)(clock, flags, time, left);
    struct timespec then = truly(time);
    return REAL(clock_nanosleep)(clock, flags, &then, left);
}

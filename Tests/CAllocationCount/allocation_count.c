/* allocation_count.c - an allocator that counts and leaves the work to the C library. */
#include "allocation_count.h"

#include <errno.h>
#include <stdlib.h>

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#else
#define UNDER_SANITIZER 0
#endif

static _Thread_local uint64_t calls;

uint64_t allocation_count(void) {
    return calls;
}

#if UNDER_SANITIZER

int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void *, size_t), void (*on_free)(const volatile void *));

static bool installed;

static void count_malloc(const volatile void *block, size_t bytes) {
    (void)block;
    (void)bytes;
    calls += 1;
}

static void ignore_free(const volatile void *block) {
    (void)block;
}

__attribute__((constructor)) static void install(void) {
    installed = __sanitizer_install_malloc_and_free_hooks(count_malloc, ignore_free) != 0;
}

bool allocation_count_works(void) {
    return installed;
}

#elif defined(__GLIBC__)

/* What the GNU C library calls its own, for programs that put something in front. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes) {
    calls += 1;
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
    calls += 1;
    return __libc_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes) {
    calls += 1;
    return __libc_realloc(block, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    calls += 1;
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes) {
    calls += 1;
    void *block = __libc_memalign(alignment, bytes);
    if (block == NULL) { return ENOMEM; }
    *out = block;
    return 0;
}

bool allocation_count_works(void) {
    return true;
}

#else

bool allocation_count_works(void) {
    return false;
}

#endif

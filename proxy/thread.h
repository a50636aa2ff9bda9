/* Threads besides the loops. */
#ifndef THREAD_H
#define THREAD_H

#include <pthread.h>

/* Starts one with all signals blocked: they are the main loop's, and in it a write to a closed pipe or beyond
 * RLIMIT_FSIZE is an error like others. The name, for whoever debugs, has at most 15 characters. An errno, or
 * 0. */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * upload: work in the elements of three kinds of map, and kernel functions written in JavaScript.
 *
 * Every job lives in a map element together with its workqueue. One function sets a job up, whatever the map and whatever
 * is to be done: the callback is an argument of it. The callbacks call `backend_store` and `backend_log`, which no kernel
 * has: upload.kfuncs.mjs brings them, and `backend_store` is asynchronous there, so the worker sleeps in it as it would in
 * a driver.
 *
 *     workerbee run upload.bpf.o --kfuncs upload.kfuncs.mjs
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

struct job {
	__u32 id;
	__s32 result;
	char name[16];
	struct bpf_wq work;
};

/* A fixed number of slots: elements always exist. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct job);
} slots SEC(".maps");

/* Jobs by number: elements come and go, and deleting one cancels its work. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct job);
} jobs SEC(".maps");

/* The latest jobs: when it is full, the least recently used one is dropped, its work with it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct job);
} latest SEC(".maps");

/* Sends bytes away under a number; may sleep. Gives a receipt, or a negative error. */
extern int backend_store(__u32 id, const void *data, __u32 data__sz) __ksym;
/* Tells an operator. */
extern void backend_log(__u32 id, __s32 result) __ksym;

__u32 stored;
__u32 failed;

/* Sends the job and keeps its receipt. */
static int store(void *map, int *key, void *value)
{
	struct job *job = value;

	job->result = backend_store(job->id, job->name, sizeof(job->name));
	if (job->result < 0)
		__sync_fetch_and_add(&failed, 1);
	else
		__sync_fetch_and_add(&stored, 1);
	return 0;
}

/* The same, and an operator hears of it. */
static int store_and_tell(void *map, int *key, void *value)
{
	struct job *job = value;

	store(map, key, value);
	backend_log(job->id, job->result);
	return 0;
}

typedef int work_fn(void *map, int *key, void *value);

/* Binds a job to its callback and starts it. Not inlined, so that the verifier sees a function passed to a function. */
static __noinline int submit(void *map, struct job *job, work_fn *callback)
{
	int err;

	err = bpf_wq_init(&job->work, map, 0);
	err = err ?: bpf_wq_set_callback(&job->work, callback, 0);
	return err ?: bpf_wq_start(&job->work, 0);
}

SEC("syscall")
int from_array(void *ctx)
{
	__u32 key = 1;
	struct job *job = bpf_map_lookup_elem(&slots, &key);

	if (!job)
		return 1;
	job->id = 101;
	__builtin_memcpy(job->name, "array slot", sizeof("array slot"));
	return submit(&slots, job, store);
}

SEC("syscall")
int from_hash(void *ctx)
{
	struct job new = { .id = 202, .name = "hash element" };
	__u32 key = 202;
	struct job *job;

	if (bpf_map_update_elem(&jobs, &key, &new, BPF_NOEXIST))
		return 1;
	job = bpf_map_lookup_elem(&jobs, &key);
	if (!job)
		return 2;
	return submit(&jobs, job, store_and_tell);
}

SEC("syscall")
int from_lru(void *ctx)
{
	struct job new = { .id = 303, .name = "lru element" };
	__u32 key = 303;
	struct job *job;

	if (bpf_map_update_elem(&latest, &key, &new, BPF_ANY))
		return 1;
	job = bpf_map_lookup_elem(&latest, &key);
	if (!job)
		return 2;
	return submit(&latest, job, store_and_tell);
}

char _license[] SEC("license") = "Dual MIT/GPL";

/* SPDX-License-Identifier: MIT */
/*
 * retry: messages that try again until they get through.
 *
 * A workqueue callback may start its own work again: it then runs once more after it has returned. Each message does so
 * until it is delivered or has tried often enough. A delivered one deletes its own map element from inside its callback,
 * which is allowed: the element is gone at once, and so is its work; the callback just runs to its end.
 *
 * Here the line to the world is bad in a way that can be predicted: message n gets through at its nth attempt.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_experimental.h"

#define ENOMEM 12
#define MESSAGES 5

struct message {
	__u32 id;
	__u32 attempts;
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct message);
} outbox SEC(".maps");

const volatile __u32 most_attempts = 3;

__u32 delivered;
__u32 given_up;
__u32 attempts;

static bool deliver(const struct message *message)
{
	return message->attempts >= message->id;
}

static int attempt(void *map, int *key, void *value)
{
	struct message *message = value;

	message->attempts++;
	__sync_fetch_and_add(&attempts, 1);
	if (deliver(message)) {
		__sync_fetch_and_add(&delivered, 1);
		bpf_printk("message %u delivered at attempt %u", message->id, message->attempts);
		bpf_map_delete_elem(map, key);
	} else if (message->attempts < most_attempts) {
		bpf_wq_start(&message->work, 0);
	} else {
		/* It stays in the outbox, where somebody will find it. */
		__sync_fetch_and_add(&given_up, 1);
		bpf_printk("message %u given up", message->id);
	}
	return 0;
}

static int post(__u32 id)
{
	struct message new = { .id = id };
	struct message *message;
	int err;

	err = bpf_map_update_elem(&outbox, &id, &new, BPF_NOEXIST);
	if (err)
		return err;
	message = bpf_map_lookup_elem(&outbox, &id);
	if (!message)
		return -ENOMEM;
	err = bpf_wq_init(&message->work, &outbox, 0);
	err = err ?: bpf_wq_set_callback(&message->work, attempt, 0);
	err = err ?: bpf_wq_start(&message->work, 0);
	/* What cannot be worked on must not stay behind. */
	if (err)
		bpf_map_delete_elem(&outbox, &id);
	return err;
}

SEC("syscall")
int post_all(void *ctx)
{
	int err = 0;

	for (__u32 id = 1; id <= MESSAGES && !err; id++)
		err = post(id);
	return err;
}

char _license[] SEC("license") = "Dual MIT/GPL";

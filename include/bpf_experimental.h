/* SPDX-License-Identifier: MIT */
/*
 * Kernel functions (kfuncs) for asynchronous work. A kfunc is an extern in .ksyms, found by name in the BTF of the kernel at
 * load time; weak, so that `bpf_ksym_exists` may ask first. Linux 6.10 to 6.19 offer bpf_wq_set_callback_impl, whose fourth
 * parameter the verifier fills in; Linux 7.0 renamed it to bpf_wq_set_callback with three parameters: define
 * BPF_WQ_IMPLICIT_AUX before including this to build for that.
 */
#ifndef __BPF_EXPERIMENTAL_H
#define __BPF_EXPERIMENTAL_H

#include <bpf/bpf_helpers.h>

struct bpf_wq;

extern int bpf_wq_init(struct bpf_wq *wq, void *p__map, unsigned int flags) __weak __ksym;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __weak __ksym;
#ifdef BPF_WQ_IMPLICIT_AUX
extern int bpf_wq_set_callback(struct bpf_wq *wq, int(callback_fn)(void *map, int *key, void *value),
			       unsigned int flags) __weak __ksym;
#else
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq, int(callback_fn)(void *map, int *key, void *value),
				    unsigned int flags, void *aux__ign) __weak __ksym;
#define bpf_wq_set_callback(wq, cb, flags) bpf_wq_set_callback_impl(wq, cb, flags, NULL)
#endif

#ifndef NULL
#define NULL ((void *)0)
#endif

/* Clocks that bpf_timer_init takes. */
#ifndef CLOCK_REALTIME
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_BOOTTIME 7
#endif

/* Critical sections (Linux 6.2, 6.7, 6.12). */
extern void bpf_rcu_read_lock(void) __weak __ksym;
extern void bpf_rcu_read_unlock(void) __weak __ksym;
extern void bpf_preempt_disable(void) __weak __ksym;
extern void bpf_preempt_enable(void) __weak __ksym;
extern void bpf_local_irq_save(unsigned long *flags) __weak __ksym;
extern void bpf_local_irq_restore(unsigned long *flags) __weak __ksym;

/* Exceptions (Linux 6.7). */
extern void bpf_throw(__u64 cookie) __weak __ksym;

/* Objects that the program allocates (Linux 6.2). */
extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __weak __ksym;
extern void bpf_obj_drop_impl(void *kptr, void *meta) __weak __ksym;
#define bpf_obj_new(type) ((type *)bpf_obj_new_impl(__builtin_btf_type_id(*(type *)0, 0), NULL))
#define bpf_obj_drop(kptr) bpf_obj_drop_impl(kptr, NULL)

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What BPF C programs are written with: sections, map attributes, linkage marks and the kernel's helper functions. The
 * names are those of the ecosystem's header of the same name; the text is Workerbee's own. Include "vmlinux.h" or
 * <linux/bpf.h> first: they bring __u32 and its kin.
 */
#ifndef __BPF_HELPERS__
#define __BPF_HELPERS__

#include <bpf/bpf_helper_defs.h>

/* Attributes of a map in SEC(".maps"): a number is carried by the length of an array that is only pointed to. */
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name
#define __array(name, val) typeof(val) *name[]
#define __BPF_PASTE_(a, b) a##b
#define __BPF_PASTE(a, b) __BPF_PASTE_(a, b)
#define __ulong(name, val) enum { __BPF_PASTE(__bpf_unique_value, __COUNTER__) = (val) } name

/* Puts a function or a variable into an ELF section; programs need not be called by anybody to be kept. */
#define SEC(name)                                                                                                      \
	_Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wignored-attributes\"")                  \
		__attribute__((section(name), used)) _Pragma("clang diagnostic pop")

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif
#ifndef __naked
#define __naked __attribute__((naked))
#endif
#ifndef __unused
#define __unused __attribute__((unused))
#endif
/* A global function that only this object sees: verified with its callers, like a static one. */
#define __hidden __attribute__((visibility("hidden")))
#define __kconfig __attribute__((section(".kconfig")))
#define __ksym __attribute__((section(".ksyms")))

/* Tags that the verifier and the loader read from BTF. */
#define __kptr_untrusted __attribute__((btf_type_tag("kptr_untrusted")))
#define __kptr __attribute__((btf_type_tag("kptr")))
#define __percpu_kptr __attribute__((btf_type_tag("percpu_kptr")))
#define __uptr __attribute__((btf_type_tag("uptr")))
#define __arg_ctx __attribute__((btf_decl_tag("arg:ctx")))
#define __arg_nonnull __attribute__((btf_decl_tag("arg:nonnull")))
#define __arg_nullable __attribute__((btf_decl_tag("arg:nullable")))
#define __arg_trusted __attribute__((btf_decl_tag("arg:trusted")))
#define __arg_untrusted __attribute__((btf_decl_tag("arg:untrusted")))
#define __arg_arena __attribute__((btf_decl_tag("arg:arena")))

/* True where the kernel has the symbol of this weak __ksym; decided when the program is loaded. */
#define bpf_ksym_exists(sym)                                                                                           \
	({                                                                                                             \
		_Static_assert(!__builtin_constant_p(!!sym), #sym " should be marked as __weak");                      \
		!!sym;                                                                                                 \
	})

#ifndef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)
#endif
#ifndef container_of
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#endif

/* The compiler may not move memory accesses over this. */
#ifndef barrier
#define barrier() asm volatile("" ::: "memory")
#endif
/* The compiler knows nothing about the variable's value after this. */
#ifndef barrier_var
#define barrier_var(var) asm volatile("" : "+r"(var))
#endif

/* Where the compiler must have removed a branch: reaching it is an error at load. */
#ifndef __bpf_unreachable
#define __bpf_unreachable() __builtin_trap()
#endif

/* `pinning` of a map. */
enum libbpf_pin_type {
	LIBBPF_PIN_NONE,
	LIBBPF_PIN_BY_NAME,
};

/* States of a `bool x __kconfig`-like three-way option. */
enum libbpf_tristate {
	TRI_NO = 0,
	TRI_YES = 1,
	TRI_MODULE = 2,
};

/* bpf_printk("%d", x): up to three arguments through bpf_trace_printk, more through bpf_trace_vprintk. */
#define __bpf_pick_print(_0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, name, ...) name
#define __bpf_printk_few(fmt, ...)                                                                                     \
	({                                                                                                             \
		static const char ____fmt[] = fmt;                                                                     \
		bpf_trace_printk(____fmt, sizeof(____fmt), ##__VA_ARGS__);                                             \
	})
#define __bpf_to_u64(x) ((unsigned long long)(x))
#define __bpf_map_4(a, b, c, d) __bpf_to_u64(a), __bpf_to_u64(b), __bpf_to_u64(c), __bpf_to_u64(d)
#define __bpf_map_5(a, ...) __bpf_to_u64(a), __bpf_map_4(__VA_ARGS__)
#define __bpf_map_6(a, ...) __bpf_to_u64(a), __bpf_map_5(__VA_ARGS__)
#define __bpf_map_7(a, ...) __bpf_to_u64(a), __bpf_map_6(__VA_ARGS__)
#define __bpf_map_8(a, ...) __bpf_to_u64(a), __bpf_map_7(__VA_ARGS__)
#define __bpf_map_9(a, ...) __bpf_to_u64(a), __bpf_map_8(__VA_ARGS__)
#define __bpf_map_10(a, ...) __bpf_to_u64(a), __bpf_map_9(__VA_ARGS__)
#define __bpf_map_11(a, ...) __bpf_to_u64(a), __bpf_map_10(__VA_ARGS__)
#define __bpf_map_12(a, ...) __bpf_to_u64(a), __bpf_map_11(__VA_ARGS__)
#define __bpf_map_args(...)                                                                                            \
	__bpf_pick_print(0, ##__VA_ARGS__, __bpf_map_12, __bpf_map_11, __bpf_map_10, __bpf_map_9, __bpf_map_8,         \
			 __bpf_map_7, __bpf_map_6, __bpf_map_5, __bpf_map_4)                                           \
	(__VA_ARGS__)
#define __bpf_printk_many(fmt, ...)                                                                                    \
	({                                                                                                             \
		static const char ____fmt[] = fmt;                                                                     \
		unsigned long long ____args[] = {__bpf_map_args(__VA_ARGS__)};                                         \
		bpf_trace_vprintk(____fmt, sizeof(____fmt), ____args, sizeof(____args));                               \
	})
#define bpf_printk(fmt, ...)                                                                                           \
	__bpf_pick_print(0, ##__VA_ARGS__, __bpf_printk_many, __bpf_printk_many, __bpf_printk_many, __bpf_printk_many, \
			 __bpf_printk_many, __bpf_printk_many, __bpf_printk_many, __bpf_printk_many,                   \
			 __bpf_printk_many, __bpf_printk_few, __bpf_printk_few, __bpf_printk_few, __bpf_printk_few)    \
	(fmt, ##__VA_ARGS__)

/* bpf_for(i, from, to) { ... }: a loop that the verifier need not unroll (Linux 6.4). */
struct bpf_iter_num;
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __weak __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __weak __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __weak __ksym;

#ifndef bpf_for
#define bpf_for(i, start, end)                                                                                         \
	for (struct bpf_iter_num ___it __attribute__((aligned(8), cleanup(bpf_iter_num_destroy))),                     \
	     *___once __attribute__((unused)) =                                                                        \
		     (bpf_iter_num_new(&___it, (start), (end)), (void)bpf_iter_num_destroy, (void *)0);                \
	     ({                                                                                                        \
		     int *___next = bpf_iter_num_next(&___it);                                                         \
		     if (___next)                                                                                      \
			     (i) = *___next;                                                                           \
		     ___next && (i) >= (start) && (i) < (end);                                                         \
	     });)
#endif
#ifndef bpf_repeat
#define bpf_repeat(count)                                                                                              \
	for (struct bpf_iter_num ___it __attribute__((aligned(8), cleanup(bpf_iter_num_destroy))),                     \
	     *___once __attribute__((unused)) =                                                                        \
		     (bpf_iter_num_new(&___it, 0, (count)), (void)bpf_iter_num_destroy, (void *)0);                    \
	     bpf_iter_num_next(&___it);)
#endif

#endif

// SPDX-License-Identifier: BSD-2-Clause
// Atomic accesses as the locks and kernels write them: C11's, with the ordering as a bare word,
// `load(&x, acquire)`. Everything that synchronises goes through these names, so that a checker
// can build the same lock with each access as a scheduling point.
// Convention: an access that synchronises bears a letter and names its partner,
// `/* A1: release; pairs with A0 */`; a relaxed one says why relaxed is enough.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef LOCKSCALE_ATOMIC /* an exploring build's header: replaces C11's functions and cpu_relax */
#include LOCKSCALE_ATOMIC
#endif

#define load(p, order) atomic_load_explicit((p), memory_order_##order)
#define store(p, v, order) atomic_store_explicit((p), (v), memory_order_##order)
#define exchange(p, v, order) atomic_exchange_explicit((p), (v), memory_order_##order)
#define fetch_add(p, v, order) atomic_fetch_add_explicit((p), (v), memory_order_##order)
#define fetch_sub(p, v, order) atomic_fetch_sub_explicit((p), (v), memory_order_##order)
// expected is a pointer; it receives the value found. The weak form may fail for no reason.
#define compare_exchange(p, expected, v, success, failure)                                         \
	atomic_compare_exchange_strong_explicit(                                                   \
		(p), (expected), (v), memory_order_##success, memory_order_##failure)
#define compare_exchange_weak(p, expected, v, success, failure)                                    \
	atomic_compare_exchange_weak_explicit(                                                     \
		(p), (expected), (v), memory_order_##success, memory_order_##failure)

// Fields that different workers write lie this far apart: two lines, since the hardware of
// many machines fetches lines in adjacent pairs.
#define LINE_PAIR 128
#define LINE_ALIGNED _Alignas(LINE_PAIR)

#define ALWAYS_INLINE inline __attribute__((always_inline))

// Tells the core that it spins: saves power, yields to an SMT sibling, avoids the costly
// mis-speculation when the awaited line changes.
#ifndef LOCKSCALE_ATOMIC
static ALWAYS_INLINE void cpu_relax(void)
{
#if defined __x86_64__ || defined __i386__
	__builtin_ia32_pause();
#elif defined __aarch64__
	__asm__ volatile("isb" ::: "memory");
#elif defined __powerpc64__
	__asm__ volatile("or 27,27,27" ::: "memory");
#else
	__asm__ volatile("" ::: "memory");
#endif
}
#endif

// The compiler must believe that *p was read and written here: keeps a measured loop from
// being folded into one addition. Costs no instruction.
#define keep_in_memory(p) __asm__ volatile("" : "+m"(*(p)))
#define keep_in_register(v) __asm__ volatile("" : "+r"(v))

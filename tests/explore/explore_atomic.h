// SPDX-License-Identifier: BSD-2-Clause
// C11's atomic functions and cpu_relax for an exploring build: each access is a scheduling point.
// Orderings are accepted and ignored: explored interleavings are sequentially consistent.
#pragma once

#include "hooks.h"

#undef atomic_init
#undef atomic_load_explicit
#undef atomic_load
#undef atomic_store_explicit
#undef atomic_store
#undef atomic_exchange_explicit
#undef atomic_exchange
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_weak_explicit
#undef atomic_compare_exchange_weak
#undef atomic_fetch_add_explicit
#undef atomic_fetch_add
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_or_explicit
#undef atomic_fetch_or
#undef atomic_fetch_and_explicit
#undef atomic_fetch_and
#undef atomic_fetch_xor_explicit
#undef atomic_fetch_xor
#undef atomic_thread_fence
#undef atomic_signal_fence

// What a load of *p gives, without _Atomic: the comma makes a value of it.
#define EXPLORE_VALUE(p) __typeof__((void)0, *(p))
#define EXPLORE_SITE(text)                                                                         \
	static const struct explore_site explore_site = {__FILE__, __LINE__, text}

#define EXPLORE_ATOMIC(kind, p, v, text)                                                           \
	__extension__({                                                                            \
		EXPLORE_SITE(text);                                                                \
		_Static_assert(sizeof *(p) <= 8, "the explorer knows no wider atomics");           \
		EXPLORE_VALUE(p) explore_v = (v);                                                  \
		uint64_t explore_bits = 0;                                                         \
		__builtin_memcpy(&explore_bits, &explore_v, sizeof explore_v);                     \
		explore_bits = explore_atomic(                                                     \
			(kind), (volatile void *)(p), sizeof *(p), explore_bits, &explore_site);   \
		__builtin_memcpy(&explore_v, &explore_bits, sizeof explore_v);                     \
		explore_v;                                                                         \
	})

#define EXPLORE_COMPARE_EXCHANGE(kind, p, expected, v, text)                                       \
	__extension__({                                                                            \
		EXPLORE_SITE(text);                                                                \
		_Static_assert(sizeof *(p) <= 8, "the explorer knows no wider atomics");           \
		EXPLORE_VALUE(p) explore_v = (v);                                                  \
		uint64_t explore_bits = 0, explore_expected = 0;                                   \
		__builtin_memcpy(&explore_bits, &explore_v, sizeof explore_v);                     \
		__builtin_memcpy(&explore_expected, (expected), sizeof explore_v);                 \
		bool explore_done = explore_compare_exchange((kind), (volatile void *)(p),         \
			sizeof *(p), &explore_expected, explore_bits, &explore_site);              \
		__builtin_memcpy((expected), &explore_expected, sizeof explore_v);                 \
		explore_done;                                                                      \
	})

#define atomic_load_explicit(p, order)                                                             \
	EXPLORE_ATOMIC(OP_LOAD, p, (EXPLORE_VALUE(p))0, "load(" #p ")")
#define atomic_store_explicit(p, v, order)                                                         \
	((void)EXPLORE_ATOMIC(OP_STORE, p, v, "store(" #p ", " #v ")"))
#define atomic_exchange_explicit(p, v, order)                                                      \
	EXPLORE_ATOMIC(OP_EXCHANGE, p, v, "exchange(" #p ", " #v ")")
#define atomic_fetch_add_explicit(p, v, order)                                                     \
	EXPLORE_ATOMIC(OP_ADD, p, v, "fetch_add(" #p ", " #v ")")
#define atomic_fetch_sub_explicit(p, v, order)                                                     \
	EXPLORE_ATOMIC(OP_SUB, p, v, "fetch_sub(" #p ", " #v ")")
#define atomic_fetch_or_explicit(p, v, order)                                                      \
	EXPLORE_ATOMIC(OP_OR, p, v, "fetch_or(" #p ", " #v ")")
#define atomic_fetch_and_explicit(p, v, order)                                                     \
	EXPLORE_ATOMIC(OP_AND, p, v, "fetch_and(" #p ", " #v ")")
#define atomic_fetch_xor_explicit(p, v, order)                                                     \
	EXPLORE_ATOMIC(OP_XOR, p, v, "fetch_xor(" #p ", " #v ")")
#define atomic_compare_exchange_strong_explicit(p, e, v, success, failure)                         \
	EXPLORE_COMPARE_EXCHANGE(OP_CAS, p, e, v, "compare_exchange(" #p ", " #v ")")
#define atomic_compare_exchange_weak_explicit(p, e, v, success, failure)                           \
	EXPLORE_COMPARE_EXCHANGE(OP_CAS_WEAK, p, e, v, "compare_exchange_weak(" #p ", " #v ")")

#define atomic_init(p, v) ((void)(*(EXPLORE_VALUE(p) *)(p) = (v)))
#define atomic_load(p) atomic_load_explicit(p, )
#define atomic_store(p, v) atomic_store_explicit(p, v, )
#define atomic_exchange(p, v) atomic_exchange_explicit(p, v, )
#define atomic_fetch_add(p, v) atomic_fetch_add_explicit(p, v, )
#define atomic_fetch_sub(p, v) atomic_fetch_sub_explicit(p, v, )
#define atomic_fetch_or(p, v) atomic_fetch_or_explicit(p, v, )
#define atomic_fetch_and(p, v) atomic_fetch_and_explicit(p, v, )
#define atomic_fetch_xor(p, v) atomic_fetch_xor_explicit(p, v, )
#define atomic_compare_exchange_strong(p, e, v) atomic_compare_exchange_strong_explicit(p, e, v, , )
#define atomic_compare_exchange_weak(p, e, v) atomic_compare_exchange_weak_explicit(p, e, v, , )
#define atomic_thread_fence(order) ((void)(order))
#define atomic_signal_fence(order) ((void)(order))

#define cpu_relax()                                                                                \
	__extension__({                                                                            \
		EXPLORE_SITE("cpu_relax()");                                                       \
		(void)explore_relax(0, &explore_site);                                             \
	})

// SPDX-License-Identifier: BSD-2-Clause
// One bucket of a hash map with locks: a chain of nodes, all calls under the bucket's lock. How
// many buckets there are and which lock is whose is for the includer to say.
#pragma once

#include "atomic.h"

struct chain_node {
	struct chain_node *next;
	uint64_t key, value;
};

// The link that leads to the key's node, or the last link.
static ALWAYS_INLINE struct chain_node **chain_find(struct chain_node **link, uint64_t key)
{
	while (*link && (*link)->key != key)
		link = &(*link)->next;
	return link;
}

static ALWAYS_INLINE bool chain_lookup(struct chain_node **head, uint64_t key, uint64_t *value)
{
	struct chain_node *found = *chain_find(head, key);
	if (found)
		*value = found->value;
	return found;
}

// False: the key is there already, and the node remains the caller's.
static ALWAYS_INLINE bool chain_insert(struct chain_node **head, struct chain_node *node)
{
	if (*chain_find(head, node->key))
		return false;
	node->next = *head;
	*head = node;
	return true;
}

// The node, which is the caller's from now on; null: the key is not there.
static ALWAYS_INLINE struct chain_node *chain_remove(struct chain_node **head, uint64_t key)
{
	struct chain_node **link = chain_find(head, key), *found = *link;
	if (found)
		*link = found->next;
	return found;
}

// SPDX-License-Identifier: BSD-2-Clause
#include "moodycamel.h"

#include <concurrentqueue/concurrentqueue.h>

#include <memory>
#include <new>
#include <vector>

namespace
{

using Queue = ::moodycamel::ConcurrentQueue<uint64_t>;

struct alignas(128) Tokens {
	explicit Tokens(Queue &q) : enqueue(q), dequeue(q)
	{
	}
	::moodycamel::ProducerToken enqueue;
	::moodycamel::ConsumerToken dequeue;
};

struct Room {
	Room(unsigned workers, size_t items) : queue(items)
	{
		for (unsigned i = 0; i < workers; i++)
			tokens.push_back(std::make_unique<Tokens>(queue));
	}
	Queue queue;
	std::vector<std::unique_ptr<Tokens>> tokens; // gone before the queue
};

Room *room(struct moodycamel_queue *q)
{
	return reinterpret_cast<Room *>(q);
}

} // namespace

struct moodycamel_queue *moodycamel_create(unsigned workers, uint64_t items)
{
	try {
		return reinterpret_cast<struct moodycamel_queue *>(new Room(workers, items));
	} catch (const std::bad_alloc &) {
		return nullptr;
	}
}

void moodycamel_destroy(struct moodycamel_queue *q)
{
	delete room(q);
}

bool moodycamel_enqueue(struct moodycamel_queue *q, unsigned worker, uint64_t value)
{
	return room(q)->queue.enqueue(room(q)->tokens[worker]->enqueue, value);
}

bool moodycamel_dequeue(struct moodycamel_queue *q, unsigned worker, uint64_t *value)
{
	return room(q)->queue.try_dequeue(room(q)->tokens[worker]->dequeue, *value);
}

// SPDX-License-Identifier: BSD-2-Clause
// The evaluation loop: one text, included once for each way in which threads share an interpreter
// (eval.c), as EVAL under the constant POLICY, so that nothing of the other ways is left in it.
// Each instruction takes and drops references as CPython does: countdown's nine instructions are
// five references taken, six dropped, one integer made and one freed.

#define DISPATCH()                                                                                 \
	do {                                                                                       \
		if (p.trace)                                                                       \
			trace_step(t, f, ip, sp);                                                  \
		instruction next = *ip++;                                                          \
		operand = next >> 8;                                                               \
		goto *label[next & 0xff];                                                          \
	} while (0)
// Behind an instruction: the flags of code.h say what is looked at.
#define DONE(NAME)                                                                                 \
	do {                                                                                       \
		if (TICKS_##NAME)                                                                  \
			tick(p, i, t);                                                             \
		if (CHECKS_##NAME && check(p, i, t))                                               \
			goto stopped;                                                              \
		DISPATCH();                                                                        \
	} while (0)
#define BINARY(NAME, BUILTIN)                                                                      \
	op_##NAME : a = sp[-2], b = sp[-1];                                                        \
	if (object_type(a) == TYPE_INT && object_type(b) == TYPE_INT &&                            \
		!BUILTIN(((struct integer *)a)->value, ((struct integer *)b)->value, &value))      \
		r = integer_make(p, i, t, me, value);                                              \
	else                                                                                       \
		r = object_binary(t, NAME, a, b);                                                  \
	if (!r)                                                                                    \
		goto failed;                                                                       \
	drop(p, t, me, a);                                                                         \
	drop(p, t, me, b);                                                                         \
	sp[-2] = r;                                                                                \
	sp--;                                                                                      \
	DONE(NAME)
#define BINARY_SLOWLY(NAME)                                                                        \
	op_##NAME : a = sp[-2], b = sp[-1];                                                        \
	r = object_binary(t, NAME, a, b);                                                          \
	if (!r)                                                                                    \
		goto failed;                                                                       \
	drop(p, t, me, a);                                                                         \
	drop(p, t, me, b);                                                                         \
	sp[-2] = r;                                                                                \
	sp--;                                                                                      \
	DONE(NAME)

static __attribute__((noinline)) int EVAL(struct interpreter_thread *t)
{
	static const struct policy p = POLICY;
	static const void *const label[] = {
#define LABEL(NAME, ticks, checks) [NAME] = &&op_##NAME,
		// cppcheck-suppress assignBoolToPointer ; a label's address is no conjunction
		FOR_EACH_OPCODE(LABEL)
#undef LABEL
	};
	struct interpreter *const i = t->interpreter;
	struct counts_thread *const me = counts_of(p, t);
	struct frame *f = t->frame;
	const instruction *ip = f->ip;
	struct object **locals = f->locals, **sp = locals + f->code->locals;
	struct object *const *constants = f->code->unit->constant;
	struct name *const *names = f->code->unit->name;
	struct object *a, *b, *r;
	struct call call;
	int64_t value;
	uint32_t operand;

	DISPATCH();

op_LOAD_CONST:
	a = constants[operand];
	take(p, me, a);
	*sp++ = a;
	DONE(LOAD_CONST);
op_LOAD_FAST:
	a = locals[operand];
	if (__builtin_expect(!a, 0)) {
		raise_error(t, "NameError", "local variable '%s' referenced before assignment",
			f->code->code->local_name[operand]);
		goto failed;
	}
	take(p, me, a);
	*sp++ = a;
	DONE(LOAD_FAST);
op_STORE_FAST:
	a = locals[operand];
	locals[operand] = *--sp;
	if (a)
		drop(p, t, me, a);
	DONE(STORE_FAST);
op_LOAD_GLOBAL:
	a = global_load(p, t, me, names[operand]);
	if (__builtin_expect(!a, 0)) {
		raise_error(t, "NameError", "name '%s' is not defined", names[operand]->text->text);
		goto failed;
	}
	*sp++ = a;
	DONE(LOAD_GLOBAL);
op_STORE_GLOBAL:
	global_store(p, t, me, names[operand], *--sp);
	DONE(STORE_GLOBAL);
op_LOAD_ATTR:
	a = sp[-1];
	r = object_attribute(t, a, names[operand]);
	if (!r)
		goto failed;
	sp[-1] = r;
	drop(p, t, me, a);
	DONE(LOAD_ATTR);
op_STORE_ATTR:
	if (!object_set_attribute(t, sp[-1], names[operand], sp[-2]))
		goto failed;
	drop(p, t, me, *--sp);
	drop(p, t, me, *--sp);
	DONE(STORE_ATTR);
op_LOAD_ITEM:
	a = sp[-2], b = sp[-1];
	r = object_item(t, a, b);
	if (!r)
		goto failed;
	sp[-2] = r;
	sp--;
	drop(p, t, me, a);
	drop(p, t, me, b);
	DONE(LOAD_ITEM);
op_STORE_ITEM:
	if (!object_set_item(t, sp[-2], sp[-1], sp[-3]))
		goto failed;
	drop(p, t, me, *--sp);
	drop(p, t, me, *--sp);
	drop(p, t, me, *--sp);
	DONE(STORE_ITEM);
op_POP_TOP:
	drop(p, t, me, *--sp);
	DONE(POP_TOP);
op_DUP_TOP:
	a = sp[-1];
	take(p, me, a);
	*sp++ = a;
	DONE(DUP_TOP);
op_DUP_TOP_TWO:
	a = sp[-2], b = sp[-1];
	take(p, me, a);
	take(p, me, b);
	sp[0] = a;
	sp[1] = b;
	sp += 2;
	DONE(DUP_TOP_TWO);
op_ROT_TWO:
	a = sp[-1];
	sp[-1] = sp[-2];
	sp[-2] = a;
	DONE(ROT_TWO);
op_ROT_THREE:
	a = sp[-1];
	sp[-1] = sp[-2];
	sp[-2] = sp[-3];
	sp[-3] = a;
	DONE(ROT_THREE);
op_UNARY_NEGATIVE:
	a = sp[-1];
	r = object_negative(t, a);
	if (!r)
		goto failed;
	sp[-1] = r;
	drop(p, t, me, a);
	DONE(UNARY_NEGATIVE);
op_UNARY_NOT:
	a = sp[-1];
	r = &i->truth[!object_true(a)].head;
	take(p, me, r);
	sp[-1] = r;
	drop(p, t, me, a);
	DONE(UNARY_NOT);
	BINARY(BINARY_ADD, __builtin_add_overflow);
	BINARY(BINARY_SUBTRACT, __builtin_sub_overflow);
	BINARY(BINARY_MULTIPLY, __builtin_mul_overflow);
	BINARY_SLOWLY(BINARY_DIVIDE);
	BINARY(BINARY_FLOOR_DIVIDE, floor_divide_overflow);
	BINARY(BINARY_MODULO, modulo_overflow);
	BINARY_SLOWLY(BINARY_POWER);
	BINARY_SLOWLY(BINARY_AND);
	BINARY_SLOWLY(BINARY_OR);
	BINARY_SLOWLY(BINARY_XOR);
	BINARY_SLOWLY(BINARY_LSHIFT);
	BINARY_SLOWLY(BINARY_RSHIFT);
op_COMPARE:
	a = sp[-2], b = sp[-1];
	if (object_type(a) == TYPE_INT && object_type(b) == TYPE_INT &&
		operand <= COMPARE_GREATER_EQUAL) {
		r = &i->truth[integer_compare((enum comparison)operand,
				      ((struct integer *)a)->value, ((struct integer *)b)->value)]
			     .head;
		take(p, me, r);
	} else
		r = object_compare(t, (enum comparison)operand, a, b);
	if (!r)
		goto failed;
	sp[-2] = r;
	sp--;
	drop(p, t, me, a);
	drop(p, t, me, b);
	DONE(COMPARE);
op_JUMP:
	ip = f->code->instructions + operand;
	DONE(JUMP);
op_JUMP_BACK:
	ip = f->code->instructions + operand;
	DONE(JUMP_BACK);
op_POP_JUMP_IF_FALSE:
	a = *--sp;
	if (a == &i->truth[false].head || (a != &i->truth[true].head && !object_true(a)))
		ip = f->code->instructions + operand;
	drop(p, t, me, a);
	DONE(POP_JUMP_IF_FALSE);
op_POP_JUMP_IF_TRUE:
	a = *--sp;
	if (a == &i->truth[true].head || (a != &i->truth[false].head && object_true(a)))
		ip = f->code->instructions + operand;
	drop(p, t, me, a);
	DONE(POP_JUMP_IF_TRUE);
op_JUMP_IF_FALSE_OR_POP:
	if (!object_true(sp[-1]))
		ip = f->code->instructions + operand;
	else
		drop(p, t, me, *--sp);
	DONE(JUMP_IF_FALSE_OR_POP);
op_JUMP_IF_TRUE_OR_POP:
	if (object_true(sp[-1]))
		ip = f->code->instructions + operand;
	else
		drop(p, t, me, *--sp);
	DONE(JUMP_IF_TRUE_OR_POP);
op_GET_ITER:
	a = sp[-1];
	r = object_iterator(t, a);
	if (!r)
		goto failed;
	sp[-1] = r;
	drop(p, t, me, a);
	DONE(GET_ITER);
op_FOR_ITER:
	a = sp[-1];
	r = object_type(a) == TYPE_RANGE_ITERATOR
		    ? range_next(p, i, t, me, (struct range_iterator *)a)
		    : object_next(t, a);
	if (r)
		*sp++ = r;
	else if (t->status)
		goto failed;
	else {
		drop(p, t, me, *--sp);
		ip = f->code->instructions + operand;
	}
	DONE(FOR_ITER);
op_BUILD_LIST:
	r = list_new(t, sp - operand, operand);
	sp -= operand;
	if (!r)
		goto failed;
	*sp++ = r;
	DONE(BUILD_LIST);
op_BUILD_TUPLE:
	r = tuple_new(t, sp - operand, operand);
	sp -= operand;
	if (!r)
		goto failed;
	*sp++ = r;
	DONE(BUILD_TUPLE);
op_BUILD_MAP:
	r = dict_new(t);
	for (uint32_t n = 0; r && n < operand; n++) {
		struct object **pair = sp - 2 * (operand - n);
		if (!object_set_item(t, r, pair[0], pair[1])) {
			object_drop(t, r);
			r = NULL;
		}
	}
	if (!r)
		goto failed;
	for (uint32_t n = 0; n < 2 * operand; n++)
		drop(p, t, me, *--sp);
	*sp++ = r;
	DONE(BUILD_MAP);
op_UNPACK_SEQUENCE:
	a = sp[-1];
	if (!unpack(t, a, operand, sp - 1))
		goto failed;
	sp += (int)operand - 1;
	drop(p, t, me, a);
	DONE(UNPACK_SEQUENCE);
op_CALL:
	call = (struct call){sp - operand - 1, sp - operand, 1, operand, NULL, NULL, sp};
	a = call.result[0];
	goto call;
op_CALL_METHOD:
	call = (struct call){sp - operand - 2, sp - operand - 1, 1, operand + 1, NULL, NULL, sp};
	a = call.result[0];
	if (!a) {
		a = call.arguments[0];
		call.arguments++;
		call.below++;
		call.count--;
	}
call:
	if (__builtin_expect(object_type(a) != TYPE_FUNCTION, 0)) {
		a = call_prepare(t, a, &call);
		sp = call.sp;
		if (!a)
			goto failed;
		r = a;
		if (r == CALL_DONE)
			goto called;
		if (object_type(a) != TYPE_FUNCTION) {
			r = builtin_call(t, (struct builtin *)a, call.arguments, call.count);
			if (!r)
				goto call_failed;
			goto called;
		}
	}
enter:
	f->ip = ip;
	f = frame_push(t, (struct function *)a, &call);
	if (__builtin_expect(!f, 0)) {
		f = t->frame;
		goto call_failed;
	}
	ip = f->ip;
	locals = f->locals;
	sp = locals + f->code->locals;
	constants = f->code->unit->constant;
	names = f->code->unit->name;
	DONE(CALL);
called:
	while (sp > call.result) {
		sp--;
		if (*sp)
			drop(p, t, me, *sp);
	}
	if (call.keep)
		object_drop(t, call.keep);
	if (call.instance) {
		if (r != CALL_DONE)
			drop(p, t, me, r);
		r = call.instance;
	}
	*sp++ = r;
	DONE(CALL);
call_failed:
	if (call.keep)
		object_drop(t, call.keep);
	if (call.instance)
		object_drop(t, call.instance);
	goto failed;
op_CALL_KEYWORDS:
	a = *--sp;
	call = (struct call){sp - operand - 1, sp - operand, 1, operand, NULL, NULL, sp};
	r = call_keywords(t, (struct tuple *)a, &call);
	sp = call.sp;
	drop(p, t, me, a);
	if (!r)
		goto failed;
	a = r;
	if (object_type(a) == TYPE_FUNCTION)
		goto enter;
	r = builtin_call(t, (struct builtin *)a, call.arguments, call.count);
	if (!r)
		goto call_failed;
	goto called;
op_LOAD_METHOD:
	a = sp[-1];
	if (!object_method(t, a, names[operand], &r, &b))
		goto failed;
	sp[-1] = r;
	*sp++ = b;
	drop(p, t, me, a);
	DONE(LOAD_METHOD);
op_RETURN:
	r = *--sp;
	while (sp > locals) {
		a = *--sp;
		if (a)
			drop(p, t, me, a);
	}
	sp = f->result;
	for (unsigned n = f->below; n--;)
		if (sp[n])
			drop(p, t, me, sp[n]);
	if (__builtin_expect(f->instance != NULL, 0)) {
		drop(p, t, me, r);
		r = f->instance;
		object_drop(t, f->keep);
	}
	t->segment = f->segment;
	t->frame = f - 1;
	if (f->entry) {
		t->result = r;
		return 0;
	}
	f--;
	*sp++ = r;
	ip = f->ip;
	locals = f->locals;
	constants = f->code->unit->constant;
	names = f->code->unit->name;
	DONE(RETURN);
op_MAKE_FUNCTION:
	r = function_new(t, &f->code->unit->code[operand]);
	if (!r)
		goto failed;
	*sp++ = r;
	DONE(MAKE_FUNCTION);
op_MAKE_CLASS:
	r = class_make(t, sp - 2 * operand - 2, operand);
	if (!r)
		goto failed;
	for (uint32_t n = 0; n < 2 * operand + 2; n++)
		drop(p, t, me, *--sp);
	*sp++ = r;
	DONE(MAKE_CLASS);
op_IMPORT_NAME:
	r = module_import(t, names[operand]);
	if (!r)
		goto failed;
	*sp++ = r;
	DONE(IMPORT_NAME);
op_PRINT:
	operand &= ~(uint32_t)PRINT_KEEPS_LINE;
	if (!print_values(t, sp - operand, operand, operand != ip[-1] >> 8))
		goto failed;
	while (operand--)
		drop(p, t, me, *--sp);
	DONE(PRINT);

stopped:
	raise_error(t, "Stopped", "the interpreter was asked to end");
	t->status = ECANCELED;
failed:
	f->ip = ip;
	frames_unwind(t, sp);
	return t->status;
}

#undef DISPATCH
#undef DONE
#undef BINARY
#undef BINARY_SLOWLY

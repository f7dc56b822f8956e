/**
 * How much a fact lets a step do: the greater number is the laxer one. A text says that there is no
 * more or less of it, so another one is a difference; `undefined` that it does not matter.
 */
export type Power = number | string | undefined

type Measure = (value: string | undefined, fact: string) => Power

/** @throws {Error} for a fact of a kind that is not known here */
export function powerOf(fact: string, value: string | undefined): Power {
  const rule = RULES.find(([pattern]) => pattern.test(fact))
  if (rule === undefined) throw new Error(`what does the fact "${fact}" mean?`)
  return rule[1](value, fact)
}

/** An attempt: refused, or done or let through to the kernel, whatever that said then. */
const answer: Measure = (value) => {
  const refused = [undefined, 'killed', 'EPERM', 'EACCES', 'ENOSYS', 'EROFS']
  return refused.includes(value) ? 0 : 1
}

const presence: Measure = (value) => (value === undefined || value === 'no' ? 0 : 1)
/** A flag that restricts a mount. Other fields of a mount are its owner and what can be opened. */
const flag: Measure = (value) => (value === undefined ? undefined : value === 'no' ? 1 : 0)
const sameText: Measure = (value) => value ?? 'absent'
const ignored: Measure = () => undefined

/** `host` is more than `own`, and more than nothing. */
const ofHost: Measure = (value) => (value === 'host' ? 1 : 0)

const limit: Measure = (value) => {
  if (value === undefined) return undefined
  const unlimited = value === '-1' || value === 'max' || Number(value) >= 2 ** 62
  return unlimited ? Number.POSITIVE_INFINITY : Number(value)
}

/** Restrictions that are counted: the fewer, the laxer. */
const restriction: Measure = (value) => -Number(value ?? 0)

const place: Measure = (value) => {
  if (value === undefined || /^E[A-Z]+$/.test(value)) return 0
  return value.startsWith('another') ? 2 : 1
}

const content: Measure = (value) => (value === 'empty' ? 0 : answer(value, ''))
const allIds: Measure = (value) => (value === '0 0 4294967295' ? 1 : 0)
const shownPath: Measure = (value) => (value === undefined || value === '/' ? 0 : 1)

/** The first that matches counts. */
const RULES: readonly (readonly [RegExp, Measure])[] = [
  [/^(call|socket|personality|make|device|node) /, answer],
  [/^(capability|changes|touches|writes|writable|sees|process|network|variable) /, presence],
  [/^keyring list$/, (value) => (value === 'keys' ? 1 : 0)],
  [/^keyring /, answer],
  [/^mount .* device$/, ofHost],
  [/^mount /, flag],
  [/^namespace /, ofHost],
  [/^(limit|group limit) /, limit],
  [/^group /, shownPath],
  [/^descriptor /, sameText],
  [/^path /, place],
  [/^reads /, content],
  [/^abstract sockets$/, (value) => (value === 'some' ? 1 : 0)],
  [/^(status|pid 1) (Seccomp|Seccomp_filters|NoNewPrivs)$/, restriction],
  [/^pid 1 (Name|cmdline)$/, ignored],
  [/^pid 1 (Uid|Gid|Groups)$/, sameText],
  [/^pid 1 /, answer],
  [/^status (Cpus|Mems)_allowed_list$/, ignored],
  [/^status /, sameText],
  [/^state (uid|gid)_map$/, allIds],
  [/^state setgroups$/, (value) => (value === 'deny' ? 0 : 1)],
  [/^state (terminal|own child can be traced)$/, answer],
  [/^state (timens_offsets|ptrace_scope)$/, ignored],
  [/^state /, sameText],
]

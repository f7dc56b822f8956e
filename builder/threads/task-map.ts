/**
 * A function that a worker thread performs when it is asked to. Its input, updates and result are
 * copied to the other thread (structured clone); descriptors are numbers, and the receiver owns them.
 * @param post sends an update before the result
 */
type Task = (input: never, post: (update: unknown) => void) => unknown

/**
 * The tasks of one kind of thread by name: the namespace of a module that exports them, so that types
 * are inferred and a new task is a file and a line.
 */
export type TaskMap = Readonly<Record<string, Task>>

/** What a task works on. */
export type TaskInput<T extends Task> = Parameters<T>[0]

/** What a task results in. */
export type TaskOutput<T extends Task> = Awaited<ReturnType<T>>

/** What a task posts before its result. */
export type TaskUpdate<T extends Task> = T extends (
  input: never,
  post: (update: infer U) => void,
) => unknown
  ? U
  : never

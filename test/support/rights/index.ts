import { type ChildProcess, spawn } from 'node:child_process'
import { chownSync, mkdirSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** With which rights a process runs. */
export interface Rights {
  /** Words in front of the command; it needs root. */
  readonly prefix: readonly string[]
  /** The user that it becomes once it has read its program. */
  readonly uid?: number
}

const WITHOUT: readonly string[] = [
  ...['chown', 'dac_override', 'fowner', 'fsetid', 'mknod', 'setfcap', 'sys_admin'],
]

/** Processes that lack rights which root of a machine has. */
export const LIMITED: Readonly<Record<string, Rights>> = {
  ...Object.fromEntries(WITHOUT.map((name) => [`root without ${name}`, { prefix: without(name) }])),
  'root without capabilities': { prefix: without('all') },
  'an ordinary user': { prefix: [], uid: 4711 },
  'a namespace with one id': { prefix: ['unshare', '--user', '--map-root-user'] },
}

function without(capability: string): readonly string[] {
  return ['setpriv', '--inh-caps=-all', `--bounding-set=-${capability}`, '--no-new-privs', '--']
}

/** A new folder that a process with such rights may write. */
export function folderFor({ uid = 0 }: Rights, path: string): string {
  mkdirSync(path)
  chownSync(path, uid, uid)
  return path
}

/** To be called by such a process with `uid` as its argument. */
export function becomeUser(uid: string | undefined): void {
  const id = Number(uid ?? 0)
  if (id === 0) return
  process.setgroups?.([])
  process.setgid?.(id)
  process.setuid?.(id)
}

/** A process that answers a line with a line, in JSON. */
export class AnsweringProcess implements Disposable {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  /** @param script calls `becomeUser` with its first argument, and `answer` */
  constructor(script: string, { prefix, uid = 0 }: Rights) {
    const [command = process.execPath, ...words] = [...prefix, process.execPath, script, `${uid}`]
    this.#child = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    if (this.#child.stdout === null) throw new Error('a pipe is readable')
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  /** @throws what the process answered with an error, or when it ended */
  async ask(question: unknown): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`)
    const { value } = await this.#lines.next()
    if (value === undefined) throw new Error('the process has ended')
    const { answer, error } = JSON.parse(value)
    if (error !== undefined) throw new Error(error)
    return answer
  }

  [Symbol.dispose](): void {
    this.#child.stdin?.end()
  }
}

/** Answers every line of standard input. */
export async function answer(reply: (question: never) => unknown): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      console.log(JSON.stringify({ answer: (await reply(JSON.parse(line) as never)) ?? null }))
    } catch (cause) {
      console.log(JSON.stringify({ error: cause instanceof Error ? cause.stack : String(cause) }))
    }
  }
}

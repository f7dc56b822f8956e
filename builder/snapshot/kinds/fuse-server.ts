import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { makeCallProgram, makeFileSystem, O_PATH } from '#builder/linux'
import { errnoOf, type WritablePart } from '#core'

const PR_SET_PDEATHSIG = 1
const SIGKILL = 9

/** What fuse-overlayfs shows. */
export interface FuseOverlay {
  /** At least one, topmost first. */
  readonly lower: readonly string[]
  readonly writable?: WritablePart | undefined
}

/** Milliseconds in which the program must end once nothing shows its file system any more. */
const GRACE = 30_000

/**
 * A running fuse-overlayfs, and its file system, which is mounted nowhere. The program is in none of the
 * step's namespaces. It ends when the last mount of its file system goes, with everything written, and
 * is killed when this process ends before.
 */
export class FuseServer {
  /** Of the file system's root. */
  readonly descriptor: number
  readonly #program: ChildProcess
  readonly #ended: Promise<void>
  readonly #errors: Buffer[] = []
  #isOpen = true

  private constructor(descriptor: number, program: ChildProcess) {
    this.descriptor = descriptor
    this.#program = program
    this.#ended = new Promise((resolve) => program.once('exit', () => resolve()))
    program.stderr?.on('data', (data: Buffer) => this.#errors.push(data))
  }

  /** @throws when this host has no such file systems, or the program does not come up */
  static async start(program: string, overlay: FuseOverlay): Promise<FuseServer> {
    // From the start of the program on it alone has the device, so the file system fails without it.
    const device = openSync('/dev/fuse', constants.O_RDWR)
    let server: FuseServer
    try {
      const descriptor = makeFuseFileSystem(device)
      try {
        server = new FuseServer(descriptor, await spawnServer(program, overlay, device))
      } catch (cause) {
        closeSync(descriptor)
        throw cause
      }
    } finally {
      closeSync(device)
    }
    await server.#awaitAnswer()
    return server
  }

  async #awaitAnswer(): Promise<void> {
    try {
      await stat(`/proc/self/fd/${this.descriptor}`)
    } catch (cause) {
      await this.close()
      const said = Buffer.concat(this.#errors).toString().trim()
      if (said === '') throw cause
      throw Object.assign(new Error(said, { cause }), { code: errnoOf(cause) })
    }
  }

  /**
   * Releases the file system, whose other mounts must be gone, and waits until all is written.
   * Idempotent.
   */
  async close(): Promise<void> {
    if (this.#isOpen) closeSync(this.descriptor)
    this.#isOpen = false
    const timer = setTimeout(() => this.#program.kill('SIGKILL'), GRACE)
    await this.#ended
    clearTimeout(timer)
  }
}

function makeFuseFileSystem(device: number): number {
  return makeFileSystem('fuse', {
    source: 'fuse-overlayfs',
    ...{ fd: String(device), rootmode: '40000', user_id: '0', group_id: '0' },
    ...{ allow_other: true, default_permissions: true },
  })
}

/** The first descriptor besides the standard ones. */
const DEVICE = 3

/** The program sees directories as its descriptors, so their paths may hold any character. */
async function spawnServer(
  program: string,
  { lower, writable }: FuseOverlay,
  device: number,
): Promise<ChildProcess> {
  // Half of Node's network code comes with it, and few hosts need this.
  const { spawn } = await import('node:child_process')
  const opened: number[] = []
  const nameOf = (path: string): string => {
    opened.push(openSync(path, O_PATH | constants.O_DIRECTORY))
    return `/proc/self/fd/${DEVICE + opened.length}`
  }
  try {
    const options = [`lowerdir=${lower.map(nameOf).join(':')}`]
    if (writable !== undefined) {
      options.push(`upperdir=${nameOf(writable.upper)}`, `workdir=${nameOf(writable.work)}`)
    }
    const args = ['fuse-overlayfs', '-f', '-o', options.join(','), `/dev/fd/${DEVICE}`]
    const starter = makeCallProgram(
      [
        { call: 'prctl', args: [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0] },
        { call: 'execve', args: [program, [...args, 0], [0]] },
      ],
      { report: 1 },
    )
    opened.push(starter)
    const child = spawn(`/proc/self/fd/${starter}`, [], {
      // A terminal's signals are for the builder, which ends it.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', device, ...opened.slice(0, -1)],
    })
    await once(child, 'spawn')
    return child
  } finally {
    for (const descriptor of opened) closeSync(descriptor)
  }
}

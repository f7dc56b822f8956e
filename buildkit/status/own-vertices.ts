import { type OnEvent, reported } from '#core'
import { outputName } from './vertex-names.ts'

/** What a server itself does for a build, as vertices of its own. */
interface OwnVertex {
  readonly id: string
  readonly name: string
}

/** A folder that a client sends, or a part of it. */
export interface TransferVertex extends OwnVertex {
  /** What clients show with the bytes. */
  readonly transfer: string
}

/** The Dockerfile comes from the client. Warnings of its checks are shown here. */
export const DEFINITION: OwnVertex = {
  id: 'definition',
  name: '[internal] load build definition',
}

/** Warnings where nothing was transferred. */
export const WARNINGS: OwnVertex = { id: 'warnings', name: '[internal] warnings' }

/** @param file as the client calls it: `Dockerfile` */
export function definitionTransfer(file: string): TransferVertex {
  const name = `${DEFINITION.name} from ${file}`
  return { id: DEFINITION.id, name, transfer: 'transferring dockerfile:' }
}

export function ignoreFileTransfer(): TransferVertex {
  return {
    id: 'ignore file',
    name: '[internal] load .dockerignore',
    transfer: 'transferring context:',
  }
}

export function contextTransfer(): TransferVertex {
  return {
    id: 'build context',
    name: '[internal] load build context',
    transfer: 'transferring context:',
  }
}

/** A named context from a folder of the client. */
export function namedContextTransfer(name: string): TransferVertex {
  return {
    id: `context ${name}`,
    name: `[context ${name}] load from client`,
    transfer: `transferring ${name}:`,
  }
}

/** Types of outputs of which a client gets files. */
export type SentOutput = 'local' | 'tar' | 'oci' | 'docker'

/**
 * What an output has written goes to the client: as a part of the vertex of the output, where `onEvent` and the build
 * have the same scope.
 * @param position of the output in the options of the build
 */
export function outputTransfer(type: SentOutput, position: number): TransferVertex {
  const isFolder = type === 'local'
  return {
    id: `output ${position}`,
    name: outputName(type),
    transfer: isFolder ? 'copying files' : 'sending tarball',
  }
}

/** Bytes that were received or sent so far. */
export type OnBytes = (current: number) => void

/** Between two reports, milliseconds. */
const INTERVAL = 100

/** Reports a transfer as a vertex, with its bytes: with BuildKit those of all messages, which have names, too. */
export function reportTransfer<T>(
  { id, name, transfer }: TransferVertex,
  onEvent: OnEvent,
  perform: (onBytes: OnBytes) => Promise<T>,
): Promise<T> {
  return reported({ id, name }, onEvent, async () => {
    let current = 0
    let next = 0
    const report = (done: boolean): void =>
      onEvent({ type: 'progress', vertex: id, id: transfer, current, done })
    report(false)
    const result = await perform((bytes) => {
      current = bytes
      const now = performance.now()
      if (now < next) return
      next = now + INTERVAL
      report(false)
    })
    report(true)
    return result
  })
}

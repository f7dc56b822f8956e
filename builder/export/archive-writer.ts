import { createWriteStream, mkdirSync, renameSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
import { type Bytes, ioError } from '#core'

/** Where the files of an OCI layout go. Nothing is visible under the final name before `finish`. */
export interface ArchiveWriter extends AsyncDisposable {
  document(path: string, bytes: Buffer): Promise<void>
  stream(path: string, size: number, bytes: Bytes): Promise<void>
  finish(): Promise<void>
}

/** A folder, which may exist: blobs of an earlier layout stay, index.json is replaced last. */
export function directoryWriter(directory: string): ArchiveWriter {
  const documents: (readonly [string, Buffer])[] = []
  const write = async (path: string, bytes: Bytes | Buffer): Promise<void> => {
    const target = join(directory, path)
    try {
      mkdirSync(dirname(target), { recursive: true })
      await writeFile(`${target}.part`, bytes)
      renameSync(`${target}.part`, target)
    } catch (cause) {
      rmSync(`${target}.part`, { force: true })
      throw ioError(`write ${target}`, cause)
    }
  }
  return {
    // index.json names the blobs, so it waits until all of them are there.
    document: async (path, bytes) => void documents.push([path, bytes]),
    stream: (path, _size, bytes) => write(path, bytes),
    finish: async () => {
      const names = documents.toSorted(
        ([a], [b]) => Number(a.endsWith('.json')) - Number(b.endsWith('.json')),
      )
      for (const [path, bytes] of names) await write(path, bytes)
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** One tar, to a file or to a stream that is not closed. */
export function tarWriter(dest: string | Writable): ArchiveWriter {
  const pack = tar.pack()
  const partial = typeof dest === 'string' ? `${dest}.part` : undefined
  const sink = partial === undefined ? (dest as Writable) : createWriteStream(partial)
  const written = pipeline(pack, sink, { end: typeof dest === 'string' })
  written.catch(() => undefined)
  let isFinished = false
  const guarded = async (work: Promise<unknown>): Promise<void> => {
    try {
      await Promise.race([work, written.then(() => work)])
    } catch (cause) {
      throw ioError(`write ${typeof dest === 'string' ? dest : 'the archive'}`, cause)
    }
  }
  return {
    document: async (path, bytes) => {
      pack.entry(header(path, bytes.length), bytes)
    },
    stream: async (path, size, bytes) => {
      await guarded(pipeline(Readable.from(bytes), pack.entry(header(path, size))))
    },
    finish: async () => {
      pack.finalize()
      await guarded(written)
      if (partial !== undefined && typeof dest === 'string') renameSync(partial, dest)
      isFinished = true
    },
    [Symbol.asyncDispose]: async () => {
      if (isFinished) return
      pack.destroy()
      if (partial === undefined) return
      await finished(sink).catch(() => undefined)
      rmSync(partial, { force: true })
    },
  }
}

function header(name: string, size: number): Parameters<tar.Pack['entry']>[0] {
  return { name, size, mode: 0o644, mtime: new Date(0) }
}

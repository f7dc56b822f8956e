import { dirname, join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Header } from 'tar-stream'
import { PendingFile } from '#builder/linux'
import { type Bytes, errnoOf, ioError, throwIfCancelled } from '#core'
import { makeFolders } from '#disk'
import { openDestination } from './destination.ts'

/** Where files go, one after the other. A tar has its name only after `finish`. */
export interface ArchiveWriter extends AsyncDisposable {
  /** Writes a small file. */
  document(path: string, bytes: Buffer): Promise<void>
  /** Writes a file of `size` bytes. */
  stream(path: string, size: number, bytes: Bytes): Promise<void>
  /** Makes it complete; nothing can be written afterwards. */
  finish(): Promise<void>
}

/** A folder, which may exist: files of the same names are replaced, each at once; others stay. */
export function directoryWriter(directory: string): ArchiveWriter {
  const write = async (path: string, bytes: Bytes | Buffer): Promise<void> => {
    const target = join(directory, path)
    try {
      makeFolders(dirname(target))
      using file = new PendingFile(target)
      if (Buffer.isBuffer(bytes)) file.write(bytes)
      else for await (const chunk of bytes) file.write(chunk)
      file.commit()
    } catch (cause) {
      throw ioError(`write ${target}`, cause)
    }
  }
  return {
    document: write,
    stream: (path, _size, bytes) => write(path, bytes),
    finish: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** One tar, to a file or to a stream that is not closed. Aborting `signal` ends it at any time. */
export async function tarWriter(
  dest: string | Writable,
  signal?: AbortSignal,
): Promise<ArchiveWriter> {
  // Loaded lazily: most builds write no archive.
  const { default: tar } = await import('tar-stream')
  const pack = tar.pack()
  const destination = openDestination(dest)
  const isFile = destination.kind === 'file'
  const sink = isFile ? streamTo(destination.file) : destination.sink
  const end = isFile || destination.end
  // The pack's own `pipe` would always end the sink.
  const source = Readable.from(pack)
  const written = pipeline(source, sink, { end, ...(signal === undefined ? {} : { signal }) })
  // These are destroyed with the failure of the sink, which `written` has.
  const ignore = (): void => undefined
  pack.on('error', ignore)
  let sinkFailure: unknown
  written.catch((cause: unknown) => {
    sinkFailure = cause
  })
  let isFinished = false
  /** A failure of the sink is the cause of every failure that follows from it. */
  const guarded = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      const working = work()
      await Promise.race([working, written.then(() => working)])
    } catch (cause) {
      throwIfCancelled(signal, 'write the archive')
      // Its failure ends the pack before it is known here.
      if (errnoOf(cause) === undefined && isEnding(pack)) await written.catch(() => undefined)
      throw ioError(`write ${isFile ? destination.path : 'the archive'}`, sinkFailure ?? cause)
    }
  }
  return {
    document: (path, bytes) =>
      guarded(async () => pack.entry(header(path, bytes.length), bytes).on('error', ignore)),
    stream: (path, size, bytes) =>
      guarded(() => pipeline(Readable.from(bytes), pack.entry(header(path, size)))),
    finish: async () => {
      pack.finalize()
      await guarded(() => written)
      if (isFile) destination.file.commit()
      isFinished = true
    },
    [Symbol.asyncDispose]: async () => {
      if (!isFinished) pack.destroy()
      if (!isFile) return
      sink.destroy()
      destination.file[Symbol.dispose]()
    },
  }
}

/** Streams of tar-stream have that, which its types do not say. */
function isEnding(pack: object): boolean {
  return 'destroying' in pack && pack.destroying === true
}

/** Writes synchronously, so that the file can be closed as soon as the stream is destroyed. */
function streamTo(file: PendingFile): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      try {
        file.write(chunk)
        done()
      } catch (cause) {
        done(cause instanceof Error ? cause : new Error(String(cause)))
      }
    },
  })
}

function header(name: string, size: number): Pick<Header, 'name' | 'size' | 'mode' | 'mtime'> {
  return { name, size, mode: 0o644, mtime: new Date(0) }
}

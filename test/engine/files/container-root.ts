import { closeSync, constants, openSync } from 'node:fs'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { extract, type Header } from 'tar-stream'
import type { Bytes } from '#core'
import { O_PATH } from '#disk'
import { ContainerFiles, type ExtractOptions } from '#engine/files'
import { run } from '../../support/peers/index.ts'

/** A directory as the root of a container, and what is done with its files. */
export class ContainerRoot implements AsyncDisposable {
  readonly path: string
  readonly files: ContainerFiles
  readonly #own: ContainerFiles | undefined
  readonly #descriptor: number

  /** @param shared is not closed with it */
  constructor(path: string, shared?: ContainerFiles) {
    this.path = path
    this.#own = shared === undefined ? new ContainerFiles() : undefined
    this.files = shared ?? this.#own ?? new ContainerFiles()
    this.#descriptor = openSync(path, O_PATH | constants.O_DIRECTORY)
  }

  /** What tasks are about. */
  at(path: string): { readonly root: number; readonly path: string; readonly container: string } {
    return { root: this.#descriptor, path, container: 'cc' }
  }

  async archive(path: string): Promise<Buffer> {
    return await buffer(this.files.archive(this.at(path)))
  }

  async extract(
    path: string,
    tar: Bytes | Buffer,
    options: Partial<ExtractOptions> = {},
  ): Promise<void> {
    const bytes = Buffer.isBuffer(tar) ? Readable.from([tar]) : tar
    await this.files.extract({ ...this.at(path), isReadonlyRoot: false, ...options }, bytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#own?.[Symbol.asyncDispose]()
    closeSync(this.#descriptor)
  }
}

/** An entry of a tar without what no client sees. */
export type Entry = Omit<Header, 'uname' | 'gname' | 'mtime' | 'byteOffset' | 'pax'> & {
  readonly time: number | undefined
  readonly xattrs: readonly string[]
}

/** The entries of a tar in their order, read by a library. */
export async function entriesOf(tar: Bytes): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  const reader = extract()
  const piping = (async () => {
    for await (const chunk of tar) if (!reader.write(chunk)) await drained(reader)
    reader.end(undefined)
  })()
  for await (const entry of reader) {
    const {
      uname,
      gname,
      mtime,
      pax,
      byteOffset,
      mode = 0,
      ...header
    } = entry.header as Header & {
      readonly pax?: Readonly<Record<string, string>>
      readonly byteOffset?: number
    }
    const xattrs = Object.keys(pax ?? {}).filter((key) => key.startsWith('SCHILY.'))
    // Docker of Debian's age writes the type into the mode, too.
    entries.push({ ...header, mode: mode & 0o7777, time: mtime?.getTime(), xattrs } as Entry)
    entry.resume()
  }
  await piping
  return entries
}

async function drained(stream: NodeJS.EventEmitter): Promise<void> {
  await new Promise((resolve) => stream.once('drain', resolve))
}

/**
 * Fills a directory with a file of every kind and links of every kind, as a root file system with busybox.
 * @param root which does not exist
 */
export async function makeRoot(root: string): Promise<void> {
  await run('sh', ['-ec', SCRIPT, 'sh', root])
}

const SCRIPT = `
mkdir -p $1/bin $1/etc $1/tmp $1/dir/sub $1/var $1/gone $1/vol
cp /bin/busybox $1/bin/busybox
for applet in sh cat ls touch rm mkdir ln chmod chown mv cp echo sleep mkfifo; do ln -s busybox $1/bin/$applet; done
printf 'root:x:0:0:root:/root:/bin/sh\\nuser:x:1000:1001:u:/home:/bin/sh\\n' > $1/etc/passwd
printf 'root:x:0:\\ngroup:x:1002:\\n' > $1/etc/group
echo hello > $1/dir/file; echo sub > $1/dir/sub/f; ln $1/dir/file $1/dir/hard
ln -s file $1/dir/link; ln -s /dir $1/dlink; ln -s ../dir/sub $1/dir/rel; ln -s /nowhere/x $1/broken
ln -s loop2 $1/loop1; ln -s loop1 $1/loop2
mkfifo $1/dir/fifo; mknod $1/dir/null c 1 3; mknod $1/dir/block b 7 300
chmod 4755 $1/dir/sub/f; chmod 1777 $1/tmp; chown 1000:1001 $1/dir/sub; chown 77:78 $1/dir/link -h
cp /bin/busybox $1/dir/capable; setcap cap_net_raw+ep $1/dir/capable
truncate -s 3M $1/dir/sparse; printf end >> $1/dir/sparse; truncate -s 4M $1/dir/sparse
echo long > $1/dir/$(printf 'n%.0s' $(seq 200))
printf x > "$1/dir/$(printf 'b\\377\\376ytes')"; printf x > $1/dir/ünï
mkdir $1/dir/old; touch -d '2001-02-03 04:05:06.123456789' $1/dir/old $1/dir/sub/f
mkdir $1/dir/deep; (cd $1/dir/deep; for i in $(seq 30); do mkdir directory-$i; cd directory-$i; done; echo x > file)
`

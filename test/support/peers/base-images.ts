import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cachedFolder } from './cached-folder.ts'
import { debianArchives } from './debian-archives.ts'
import { writeLayout } from './oci-layout.ts'
import { run } from './process.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/**
 * Base images made from Debian's own packages, so that tests need no image registry of the
 * internet. Each is an OCI layout in the cache of `cachedFolder`.
 */
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const TAR_OPTIONS = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner']

/** busybox (static) with all its links, the usual directories, root and nobody: 1 MB. */
export async function busyboxBase(): Promise<string> {
  const busybox = readFileSync('/bin/busybox')
  return cached(['busybox', 3, digest(busybox)], makeBusybox)
}

/** The same, made anew from its Debian package. `layout`: a directory to make. */
export async function freshBusyboxBase(layout: string): Promise<string> {
  await makeLayout(layout, makeBusybox)
  return layout
}

const makeBusybox: Make = async (directory, tar) => {
  await run('sh', ['-ec', BUSYBOX_SCRIPT], { cwd: directory })
  await run('tar', [...TAR_OPTIONS, '-cf', tar, '-C', join(directory, 'root'), '.'])
  return { Env: [PATH], Cmd: ['sh'] }
}

const BUSYBOX_SCRIPT = `
mkdir -p root/bin root/etc root/root root/dev root/proc root/sys root/run root/var root/home
mkdir -m 1777 root/tmp
chmod 0700 root/root
cp /bin/busybox root/bin/busybox
chmod 0755 root/bin/busybox
for applet in $(busybox --list); do test -e root/bin/$applet || ln -s busybox root/bin/$applet; done
echo 'root:x:0:0:root:/root:/bin/sh' > root/etc/passwd
echo 'nobody:x:65534:65534:nobody:/home:/bin/false' >> root/etc/passwd
printf 'root:x:0:\\nnogroup:x:65534:\\n' > root/etc/group
chmod 0755 root root/bin root/etc root/dev root/proc root/sys root/run root/var root/home
chmod 0644 root/etc/passwd root/etc/group
`

/**
 * A Debian with apt, of this machine's release and from its mirrors, without documentation and
 * translations: 100 MB. apt-get works in it wherever it works on this machine.
 */
export async function debianBase(): Promise<string> {
  const { release, sources, settings } = await debianArchives()
  return cached(['debian', 3, release, sources, settings], async (_, tar) => {
    const args = [
      '--quiet',
      '--mode=unshare',
      '--variant=apt',
      ...settings.map((setting) => `--aptopt=${setting}`),
      ...['doc', 'man', 'locale', 'info'].map(
        (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
      ),
      release,
      tar,
      '-',
    ]
    await run('mmdebstrap', args, { input: sources, env: { SOURCE_DATE_EPOCH: '0' } })
    return { Env: [PATH], Cmd: ['bash'] }
  })
}

type Make = (directory: string, tar: string) => Promise<Readonly<Record<string, unknown>>>

async function cached(key: readonly unknown[], make: Make): Promise<string> {
  return await cachedFolder(key, (layout) => makeLayout(layout, make))
}

async function makeLayout(layout: string, make: Make): Promise<void> {
  using directory = temporaryDirectory('base')
  const tar = directory.file('layer.tar')
  const config = await make(directory.path, tar)
  await writeLayout(layout, { tar, config })
}

function digest(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Copies an OCI layout made here to a registry. */
export async function pushLayout(layout: string, reference: string): Promise<void> {
  const to = `docker://${reference}`
  await run('skopeo', [
    '--insecure-policy',
    'copy',
    '--quiet',
    '--preserve-digests',
    '--dest-tls-verify=false',
    `oci:${layout}:latest`,
    to,
  ])
}

import {
  chmodSync,
  copyFileSync,
  cpSync,
  globSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { run, temporaryDirectory } from '../../test/support/peers/index.ts'
import { type DebianPackage, unpackDebian } from './debian.ts'
import { LinkedPrograms } from './linked-programs.ts'
import { nodeLicence, REPOSITORY } from './published.ts'

/** What the image has of Debian, with the reason. */
const PACKAGES: Readonly<Record<string, string>> = {
  'busybox-static': 'a shell, for CI systems that want one, and for scripts of git',
  'ca-certificates': 'whom https trusts',
  git: 'fetches repositories that are contexts',
  'libstdc++6': 'the C++ library, for Node',
  'openssh-client': 'reaches repositories that are served by ssh',
}

/** Programs of Debian, and where they are in the image. */
const PROGRAMS: readonly (readonly [string, string])[] = [
  ['/usr/bin/git', '/tsbuild/lib/git-core/git'],
  ['/usr/lib/git-core/git-remote-http', '/tsbuild/lib/git-core/git-remote-http'],
  ['/usr/bin/ssh', '/tsbuild/lib/openssh/ssh'],
]

/** Scripts that fetch submodules. */
const SCRIPTS = ['git-submodule', 'git-sh-setup', 'git-sh-i18n']

const NODE = join(REPOSITORY, 'node_modules/node')
const CERTIFICATES = '/tsbuild/ssl/certs/ca-certificates.crt'

/** Makes a folder with the files of others that the image has: Node, git, ssh, busybox, certificates. */
export async function makeSystemFolder(folder: string): Promise<void> {
  using directory = temporaryDirectory('system', 0o755)
  const root = directory.file('debian')
  const packages = await unpackDebian(Object.keys(PACKAGES), root)
  const programs = new LinkedPrograms(root, folder)
  const node = directory.file('node')
  // A sixth of it is symbols.
  await run('strip', ['-o', node, join(NODE, 'bin/node')])
  await programs.add(node, '/tsbuild/bin/node')
  for (const [from, to] of PROGRAMS) await programs.add(join(root, from), to)
  symlinkSync('git-remote-http', join(folder, '/tsbuild/lib/git-core/git-remote-https'))
  copyScripts(root, folder)
  writeCertificates(root, folder)
  await copyBusybox(root, folder)
  makeFolders(folder)
  const used = [...programs.used, ...PROGRAMS.map(([from]) => from)]
  const names = new Set(Object.keys(PACKAGES))
  copyLicences(
    packages.filter(
      ({ name, files }) => names.has(name) || files.some((file) => used.includes(file)),
    ),
    root,
    folder,
  )
}

function copyScripts(root: string, folder: string): void {
  for (const name of SCRIPTS) {
    const text = readFileSync(join(root, 'usr/lib/git-core', name), 'utf8')
    const path = join(folder, 'tsbuild/lib/git-core', name)
    writeFileSync(path, text.replace(/^#!\/bin\/sh/, '#!/busybox/sh'), { mode: 0o755 })
  }
}

/** As update-ca-certificates(8): all that Mozilla trusts. Other programs know them by another name. */
function writeCertificates(root: string, folder: string): void {
  const certificates = globSync('usr/share/ca-certificates/**/*.crt', { cwd: root }).toSorted()
  if (certificates.length < 50)
    throw new Error(`there are ${certificates.length} certificates only`)
  const texts = certificates.map((path) => readFileSync(join(root, path), 'utf8').trimEnd())
  write(join(folder, CERTIFICATES), `${texts.join('\n')}\n`)
  link(CERTIFICATES, join(folder, 'etc/ssl/certs/ca-certificates.crt'))
  link('/tsbuild/ssl', join(folder, 'kaniko/ssl'))
}

async function copyBusybox(root: string, folder: string): Promise<void> {
  const busybox = join(folder, 'busybox/busybox')
  mkdirSync(dirname(busybox), { recursive: true })
  const [from = ''] = globSync('{usr/,}bin/busybox', { cwd: root })
  copyFileSync(join(root, from), busybox)
  chmodSync(busybox, 0o755)
  const { stdout } = await run(busybox, ['--list'])
  for (const name of stdout.trim().split('\n')) {
    if (name !== 'busybox') symlinkSync('busybox', join(folder, 'busybox', name))
  }
  link('/busybox/sh', join(folder, 'bin/sh'))
}

/** Folders whose modes are not those of the writable ones below them. */
function makeFolders(folder: string): void {
  for (const path of ['var/lib', 'home', 'proc', 'sys', 'dev', 'root']) {
    mkdirSync(join(folder, path), { recursive: true })
  }
}

/** Of each package the terms, and its version, under which Debian keeps the source. */
function copyLicences(packages: readonly DebianPackage[], root: string, folder: string): void {
  const doc = join(folder, 'tsbuild/doc')
  for (const { name } of packages) {
    cpSync(join(root, 'usr/share/doc', name, 'copyright'), join(doc, name, 'copyright'), {
      dereference: true,
    })
  }
  write(join(doc, 'node/LICENSE'), readFileSync(nodeLicence(), 'utf8'))
  const lines = packages.map(({ name, version, source }) => `${name} ${version} ${source}\n`)
  write(join(doc, 'packages'), lines.join(''))
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path)
}

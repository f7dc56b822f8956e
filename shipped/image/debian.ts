import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { debianArchives, run, temporaryDirectory } from '../../test/support/peers/index.ts'

/** A package of Debian that was unpacked. */
export interface DebianPackage {
  readonly name: string
  readonly version: string
  /** Name of its source package. */
  readonly source: string
  /** Absolute paths of its files. */
  readonly files: readonly string[]
}

/** Run in the folder of the downloaded packages; `$1` is the root that they were unpacked in. */
const LIST_FILES = `
cd "$1/var/cache/apt/archives"
for deb in *.deb; do
  dpkg-deb -W --showformat='= \${Package} \${Version} \${source:Package}\\n' "$deb"
  dpkg-deb --fsys-tarfile "$deb" | tar -t
done > "$1/packages"
`

/**
 * Unpacks packages of this machine's Debian and all that they depend on into a new folder. Nothing in
 * them is executed.
 */
export async function unpackDebian(
  names: readonly string[],
  folder: string,
): Promise<readonly DebianPackage[]> {
  const { release, sources, settings } = await debianArchives()
  using directory = temporaryDirectory('debian', 0o755)
  const tar = directory.file('root.tar')
  const args = [
    '--quiet',
    '--variant=extract',
    ...settings.map((setting) => `--aptopt=${setting}`),
    `--include=${names.join(',')}`,
    `--extract-hook=${LIST_FILES}`,
    release,
    tar,
    '-',
  ]
  await run('mmdebstrap', args, { input: sources })
  mkdirSync(folder)
  // Devices are root's to make.
  const owners = ['--no-same-owner', '--exclude=./dev']
  await run('tar', ['-xf', tar, '-C', folder, ...owners])
  return parsePackages(readFileSync(join(folder, 'packages'), 'utf8'))
}

function parsePackages(text: string): readonly DebianPackage[] {
  const [, ...blocks] = text.split(/^= /m)
  return blocks.map((block) => {
    const [head = '', ...lines] = block.trimEnd().split('\n')
    const [name = '', version = '', source = ''] = head.split(' ')
    return { name, version, source, files: lines.map((line) => line.replace(/^\./, '')) }
  })
}

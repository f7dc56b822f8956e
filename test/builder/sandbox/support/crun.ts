import { readdirSync } from 'node:fs'
import { extname, join } from 'node:path'
import { cachedFolder, debianArchives, run } from '../../../support/peers/index.ts'

/**
 * Debian's crun, unpacked and not installed: podman and buildah would take it instead of runc, and it starts no
 * containers of theirs where a host has both versions of control groups. @returns the path of the program
 */
export async function debianCrun(): Promise<string> {
  const { release } = await debianArchives()
  const folder = await cachedFolder(['crun', release, 3], async (made) => {
    await run('mkdir', [made])
    const options = ['-o', 'APT::Sandbox::User=root']
    await run('apt-get', [...options, 'download', 'crun', 'libyajl2'], { cwd: made })
    for (const name of readdirSync(made)) await run('dpkg-deb', ['-x', join(made, name), made])
    // It executes a copy of itself from elsewhere, so the way to its libraries is written whole.
    const libraries = join(made.slice(0, -extname(made).length), 'usr/lib')
    const paths = readdirSync(join(made, 'usr/lib')).map((name) => join(libraries, name))
    await run('patchelf', ['--set-rpath', paths.join(':'), join(made, 'usr/bin/crun')])
  })
  return join(folder, 'usr/bin/crun')
}

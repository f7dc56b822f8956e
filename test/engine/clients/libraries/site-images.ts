import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  cachedFolder,
  debianArchives,
  run,
  temporaryDirectory,
  writeLayout,
} from '../../../support/peers/index.ts'
import { REGISTRY, type Site } from '../support/site.ts'

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** redis of Debian's packages, and a shell. @returns an OCI layout */
export async function redisImage(): Promise<string> {
  const { release, sources, settings } = await debianArchives()
  return await cachedFolder(['redis', 1, release, sources, settings], async (layout) => {
    using directory = temporaryDirectory('redis')
    const tar = directory.file('layer.tar')
    const options = ['doc', 'man', 'locale', 'info'].map(
      (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
    )
    const args = [
      ...['--quiet', '--mode=unshare', '--variant=extract', '--include=redis-server,dash'],
      ...settings.map((setting) => `--aptopt=${setting}`),
      ...options,
    ]
    const env = { SOURCE_DATE_EPOCH: '0' }
    await run('mmdebstrap', [...args, release, tar, '-'], { input: sources, env })
    // The packages are unpacked and not configured: nothing has made the user redis or /bin/sh.
    const Cmd = ['redis-server', '--bind', '0.0.0.0', '--protected-mode', 'no', '--save', '']
    await writeLayout(layout, {
      tar,
      config: { Env: [PATH], Cmd, ExposedPorts: { '6379/tcp': {} } },
    })
  })
}

/** What removes the containers of a test program that is gone: a line of filters, an answer, and the end. */
const REAPER = `#!/bin/sh
filters=
while read -r line; do
  filters="$filters $(echo "$line" | tr -d '\\r' | tr '&' '\\n' | sed 's/%3D/=/g;s/^label=/--filter label=/')"
  echo ACK
done
# Not itself: a client that is killed sends no more requests.
docker ps -aq $filters | grep -v "$(hostname)" | xargs -r docker rm -fv > /proc/1/fd/1 2>&1
`

/** Says that it has started when it listens: an engine's proxy accepts before. */
const LISTEN = `
nc -ll -p 8080 -e reap &
until grep -q ':1F90 .* 0A ' /proc/net/tcp /proc/net/tcp6; do sleep 0.05; done
echo Started
wait
`

/** The same for the containers of testcontainers: its Ryuk has no package. @returns an OCI layout */
export async function reaperImage(): Promise<string> {
  const { stdout } = await run('dpkg-query', ['-W', 'docker.io', 'busybox-static', 'libc6'])
  return await cachedFolder(['reaper', 2, stdout, REAPER, LISTEN], async (layout) => {
    using directory = temporaryDirectory('reaper')
    const root = directory.file('root')
    const tar = directory.file('layer.tar')
    for (const folder of ['bin', 'lib/x86_64-linux-gnu', 'lib64', 'tmp']) {
      mkdirSync(join(root, folder), { recursive: true })
    }
    await run('sh', ['-ec', COPIES, 'copies', root])
    writeFileSync(join(root, 'bin/reap'), REAPER)
    chmodSync(join(root, 'bin/reap'), 0o755)
    await run('tar', ['--owner=0', '--group=0', '-cf', tar, '-C', root, '.'])
    const Cmd = ['sh', '-c', LISTEN]
    const Env = [PATH, 'DOCKER_HOST=unix:///var/run/docker.sock', 'HOME=/tmp']
    await writeLayout(layout, { tar, config: { Env, Cmd, ExposedPorts: { '8080/tcp': {} } } })
  })
}

/** A shell, and docker's command with its library. */
const COPIES = `
cp /bin/busybox $1/bin/busybox
for name in sh tr sed echo xargs nc grep hostname sleep; do ln -s busybox $1/bin/$name; done
cp /usr/bin/docker $1/bin/
ldd /usr/bin/docker | grep -o '/[^ ]*' | while read -r path; do
  mkdir -p $1$(dirname $path)
  cp -L $path $1$path
done
`

/** Copies an OCI layout to the registry of a site. @returns the image's name */
export async function pushToSite(site: Site, layout: string, name: string): Promise<string> {
  const [command = '', ...words] = [...site.enter, 'skopeo', '--insecure-policy', 'copy', '--quiet']
  const reference = `${REGISTRY}/${name}:latest`
  const source = `oci:${layout}:latest`
  await run(command, [...words, '--dest-tls-verify=false', source, `docker://${reference}`])
  return reference
}

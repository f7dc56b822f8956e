import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { MountPoint } from '#engine/model'
import {
  busyboxBase,
  copyImage,
  type Dockerd,
  startDockerd,
  temporaryDirectory,
} from '../../../support/peers/index.ts'
import { askDocker } from '../support/docker-socket.ts'
import { recordOf, VolumeLab } from '../support/volume-lab.ts'
import { LATER, REQUESTS, type Request } from './requests.ts'

/** Another container, whose mounts are asked for. */
const OTHER: Request = {
  Volumes: { '/anon': {} },
  HostConfig: { Binds: ['srcvol:/s:ro', 'HOST:/h'] },
}

describe('mounts of containers', () => {
  let dockerd: Dockerd
  let lab: VolumeLab
  let host = ''
  let image = ''
  let count = 0
  before(async () => {
    lab = new VolumeLab()
    host = lab.folder.file('host')
    mkdirSync(host)
    image = lab.folder.file('image')
    mkdirSync(`${image}/bin`, { recursive: true })
    writeFileSync(`${image}/bin/sh`, '')
    dockerd = await startDockerd()
    using archives = temporaryDirectory('busybox')
    const archive = archives.file('busybox.tar')
    await copyImage(`oci:${await busyboxBase()}:latest`, `docker-archive:${archive}:busybox:latest`)
    await dockerd.docker(['load', '--quiet', '--input', archive])
    await askDocker(dockerd.socket, ['POST', '/containers/create?name=src'], bodyOf(OTHER))
    await ours(OTHER, 'src')
  })
  after(async () => {
    await dockerd[Symbol.asyncDispose]()
    await lab[Symbol.asyncDispose]()
  })

  it('are those of dockerd, and so are its refusals', async () => {
    let refused = 0
    for (const request of REQUESTS) {
      const theirs = await docker(request)
      if (typeof theirs === 'string') refused++
      assert.deepEqual(await ours(request), theirs, JSON.stringify(request))
    }
    assert.ok(refused > 25 && refused < REQUESTS.length - 20, `${refused} were refused`)
  })

  it('are those of a newer dockerd where the older one knows nothing of it', async () => {
    for (const [request, expected] of LATER) {
      assert.deepEqual(await ours(request), expected, JSON.stringify(request))
    }
  })

  it('leave no volume behind that was made for a container that is refused', async () => {
    const before = lab.volumes.all().length
    const asked = { Binds: ['/one'], Mounts: [{ Type: 'volume', Source: '/no', Target: '/a' }] }
    assert.match(`${await ours({ HostConfig: asked })}`, /includes invalid characters/)
    assert.equal(lab.volumes.all().length, before)
  })

  function bodyOf({ HostConfig, Volumes = {} }: Request): Record<string, unknown> {
    const text = JSON.stringify({ Volumes, HostConfig })
    const named = text.replaceAll('HOSTNAME', basename(host)).replaceAll('HOST/', `${host}/`)
    return { Image: 'busybox', ...JSON.parse(named.replaceAll(/HOST(?=[:"])/g, host)) }
  }

  async function docker(request: Request): Promise<string | readonly string[]> {
    const path = ['POST', '/containers/create'] as const
    const { status, body } = await askDocker(dockerd.socket, path, bodyOf(request))
    if (status !== 201) return masked(String(body?.message))
    const found = await askDocker(dockerd.socket, ['GET', `/containers/${body?.Id}/json`])
    return shown(found.body?.Mounts as unknown as readonly MountPoint[])
  }

  async function ours(request: Request, id = `c${count++}`): Promise<string | readonly string[]> {
    const { HostConfig, Volumes } = bodyOf(request) as unknown as Required<Request>
    try {
      const record = recordOf(id, HostConfig, { Volumes })
      return shown((await lab.container(record, [image])).mounts)
    } catch (cause) {
      return masked(cause instanceof Error ? cause.message : '')
    }
  }

  function shown(points: readonly MountPoint[]): readonly string[] {
    const all = points.map((point) => {
      const { Type, Name = '', Destination, Driver = '', Mode, RW, Propagation } = point
      const name = /^[0-9a-f]{64}$/.test(Name) ? 'RANDOM' : Name
      return [Type, name, Destination, Driver, Mode, RW, Propagation].join(' ')
    })
    return all.sort()
  }

  /** Paths of each daemon's own. */
  function masked(message: string): string {
    return message.replace(/(file exists ).*/, '$1…')
  }
})

import assert from 'node:assert/strict'
import {
  type Surroundings,
  whyNotInContainer,
} from '../../../../builder/sandbox/in-place/container.ts'

const FIRST = { ipc: 'ipc:[4026531839]', pid: 'pid:[4026531836]', uts: 'uts:[4026531838]' }
const OWN = { ipc: 'ipc:[4026532400]', pid: 'pid:[4026532401]', uts: 'uts:[4026532399]' }
const ENGINE =
  '1 0 0:1 /var/lib/x/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n2 0 0:1 /x /etc/resolv.conf rw - ext4 /dev/sda1 rw'
const ROOTS = {
  disk: '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  btrfs: '22 1 0:30 /@ / rw,relatime shared:1 - btrfs /dev/sda1 rw',
  overlay: '22 1 0:99 / / rw,relatime - overlay overlay rw,lowerdir=/x',
  folder: '22 1 8:1 /var/lib/docker/vfs/dir/1 / rw,relatime - ext4 /dev/sda1 rw',
}

interface Case {
  readonly files?: readonly string[]
  readonly namespaces: Readonly<Record<string, string>>
  readonly root: keyof typeof ROOTS
  readonly mounts?: string
  readonly env?: NodeJS.ProcessEnv
}

function surroundingsOf({
  files = [],
  namespaces,
  root,
  mounts = '',
  env = {},
}: Case): Surroundings {
  return {
    exists: (path) => files.includes(path),
    namespace: (kind) => namespaces[kind] ?? '',
    mounts: `${ROOTS[root]}\n${mounts}\n`,
    env,
  }
}

const CONTAINERS: Readonly<Record<string, Case>> = {
  'of docker': { files: ['/.dockerenv'], namespaces: OWN, root: 'overlay', mounts: ENGINE },
  'of docker, with the processes of the machine': {
    ...{ files: ['/.dockerenv'], namespaces: { ...OWN, pid: FIRST.pid }, root: 'overlay' },
  },
  'of docker, whose storage is folders': {
    files: ['/.dockerenv'],
    namespaces: OWN,
    root: 'folder',
  },
  'of podman': { files: ['/run/.containerenv'], namespaces: OWN, root: 'overlay' },
  'of a pod': { namespaces: OWN, root: 'overlay', env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } },
  'of another engine': { namespaces: OWN, root: 'overlay', mounts: ENGINE },
}

const OTHERS: Readonly<Record<string, Case>> = {
  'a machine': { namespaces: FIRST, root: 'disk' },
  'a machine made of an image': { files: ['/.dockerenv'], namespaces: FIRST, root: 'disk' },
  'a machine on a subvolume': { namespaces: FIRST, root: 'btrfs' },
  'a machine on an overlay': { namespaces: FIRST, root: 'overlay', mounts: ENGINE },
  'a machine with variables of a pod': {
    ...{ namespaces: FIRST, root: 'disk', env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } },
  },
  'a container like a machine': { namespaces: OWN, root: 'folder' },
  'a WSL with variables of a pod': {
    ...{ namespaces: OWN, root: 'disk', env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } },
  },
  'a toolbox': {
    ...{ files: ['/run/.containerenv', '/run/.toolboxenv'], namespaces: OWN, root: 'overlay' },
  },
}

describe('a root that may be replaced', () => {
  for (const [name, container] of Object.entries(CONTAINERS)) {
    it(`is that of a container ${name}`, () => {
      assert.equal(whyNotInContainer(surroundingsOf(container)), undefined)
    })
  }

  for (const [name, other] of Object.entries(OTHERS)) {
    it(`is not that of ${name}`, () => {
      assert.equal(typeof whyNotInContainer(surroundingsOf(other)), 'string')
    })
  }
})

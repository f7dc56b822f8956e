import assert from 'node:assert/strict'
import {
  type SelinuxFiles,
  type SelinuxState,
  selinuxState,
} from '../../../../builder/sandbox/filter/selinux.ts'

const KERNEL = '/sys/fs/selinux'
const OWN = 'system_u:system_r:runtime_t:s0'

/** A policy: class, permission and its bit. */
const PERMISSIONS = [
  ['process', 'setexec', 1],
  ['process', 'transition', 32],
  ['process', 'sigchld', 3],
  ['process', 'setsockcreate', 5],
  ['process2', 'nnp_transition', 1],
  ['fifo_file', 'read', 7],
  ['filesystem', 'relabelto', 4],
  ['file', 'entrypoint', 9],
  ['file', 'execute', 10],
  ['file', 'relabelto', 11],
  ['fd', 'use', 1],
  ['fifo_file', 'write', 2],
] as const

const CLASSES = [...new Set(PERMISSIONS.map(([name]) => name))]

interface Machine {
  readonly files: Map<string, string>
  /** Labels that the policy does not know. */
  readonly unknown: string[]
  /** What it refuses, as `source target class permission`. */
  readonly refused: string[]
  /** Whether it may be asked. */
  mayAsk: boolean
  hasNoNewPrivileges: boolean
}

function machine(): Machine {
  const files = new Map([
    [`${KERNEL}/enforce`, '1'],
    ['/etc/selinux/config', '# a comment\nSELINUX=enforcing\nSELINUXTYPE=targeted\n'],
    [
      '/etc/selinux/targeted/contexts/lxc_contexts',
      'process = "system_u:system_r:container_t:s0"\ncontent = "x"\nfile = "system_u:object_r:container_file_t:s0"\nro_file="system_u:object_r:container_ro_file_t:s0"\n',
    ],
    ['/proc/thread-self/attr/current', `${OWN}\0`],
    ...CLASSES.map((name, index) => [`${KERNEL}/class/${name}/index`, `${index + 1}`] as const),
    ...PERMISSIONS.map(
      ([name, permission, bit]) =>
        [`${KERNEL}/class/${name}/perms/${permission}`, `${bit}`] as const,
    ),
  ])
  return { files, unknown: [], refused: [], mayAsk: true, hasNoNewPrivileges: false }
}

/** Asks as the kernel answers: a vector of what is allowed, in hexadecimal. */
function filesOf({ files, unknown, refused, mayAsk, hasNoNewPrivileges }: Machine): SelinuxFiles {
  return {
    read: (path) => files.get(path),
    mayAsk: () => mayAsk,
    hasNoNewPrivileges,
    ask: (path, question) => {
      if (path === `${KERNEL}/context`) {
        return unknown.some((type) => question.includes(type)) ? undefined : question
      }
      const [source = '', target = '', index] = question.split(' ')
      const asked = [source, target].map((label) => label.split(':')[2])
      const name = CLASSES[Number(index) - 1]
      const allowed = PERMISSIONS.filter(([one, permission]) => {
        return one === name && !refused.includes([...asked, name, permission].join(' '))
      }).reduce((sum, [, , bit]) => sum + 2 ** (bit - 1), 0)
      return `${allowed.toString(16)} ffffffff 0 ffffffff 1 0`
    },
  }
}

function stateOf(change: (one: Machine) => void = () => undefined): SelinuxState {
  const one = machine()
  change(one)
  return selinuxState(filesOf(one), () => '/var/lib/tsbuild')
}

describe('labels of SELinux for steps', () => {
  it('are those of containers, with two categories', () => {
    const state = stateOf()
    assert.ok(state.kind === 'labels')
    const { process, file, source } = state.labels
    assert.equal(source, 'system_u:object_r:container_ro_file_t:s0')
    const [, categories] = /^system_u:system_r:container_t:s0:(c\d+,c\d+)$/.exec(process) ?? []
    assert.equal(file, `system_u:object_r:container_file_t:s0:${categories}`)
  })

  it('are the same for the same store, in order, and seldom the same for another', () => {
    const pairs = Array.from({ length: 500 }, (_, index) => {
      const state = selinuxState(filesOf(machine()), () => `/store-${index}`)
      assert.ok(state.kind === 'labels')
      const [, low, high] = /:c(\d+),c(\d+)$/.exec(state.labels.file) ?? []
      assert.ok(Number(low) < Number(high) && Number(high) < 1024, state.labels.file)
      return `${low},${high}`
    })
    assert.ok(new Set(pairs).size > 490)
    assert.deepEqual(stateOf(), stateOf())
  })

  it('have no categories in a policy without levels', () => {
    const state = stateOf(({ files }) => {
      files.set(
        '/etc/selinux/targeted/contexts/lxc_contexts',
        'process = "u:r:container_t"\nfile = "u:r:container_file_t"\nro_file = "u:r:shown_t"\n',
      )
    })
    assert.deepEqual(state, {
      kind: 'labels',
      labels: { process: 'u:r:container_t', file: 'u:r:container_file_t', source: 'u:r:shown_t' },
    })
  })

  it('are none where the kernel has no policy yet', () => {
    assert.deepEqual(
      stateOf(({ files }) => files.set('/proc/thread-self/attr/current', 'kernel\0')),
      { kind: 'none' },
    )
  })

  it('take no further right than there is without no_new_privs', () => {
    const state = stateOf(({ refused }) => {
      refused.push('runtime_t container_t process2 nnp_transition')
    })
    assert.equal(state.kind, 'labels')
  })

  it('are none where the kernel has no SELinux', () => {
    assert.deepEqual(
      stateOf(({ files }) => files.delete(`${KERNEL}/enforce`)),
      { kind: 'none' },
    )
  })

  for (const [what, change, reason] of [
    [
      'no file of labels',
      ({ files }) => files.delete('/etc/selinux/targeted/contexts/lxc_contexts'),
      /names no labels of containers/,
    ],
    ['no configuration', ({ files }) => files.delete('/etc/selinux/config'), /names no labels/],
    [
      'a label that is not known',
      ({ unknown }) => unknown.push('container_file_t'),
      /does not know the label .*container_file_t/,
    ],
    [
      'no label of its own',
      ({ files }) => files.delete('/proc/thread-self/attr/current'),
      /label of this process/,
    ],
    [
      'a class that is not known',
      ({ files }) => files.delete(`${KERNEL}/class/fifo_file/index`),
      /read of a fifo_file/,
    ],
    ...[
      'runtime_t runtime_t process setexec',
      'runtime_t runtime_t process setsockcreate',
      'runtime_t container_t process transition',
      'runtime_t container_file_t filesystem relabelto',
      'runtime_t container_ro_file_t file relabelto',
      'container_t container_ro_file_t file execute',
      'container_t container_file_t file entrypoint',
      'container_t runtime_t fd use',
      'container_t runtime_t fifo_file read',
      'container_t runtime_t fifo_file write',
      'container_t runtime_t process sigchld',
    ].map((line) => {
      const [source, target, type, permission] = line.split(' ')
      const reason = new RegExp(
        `refuses .*:${source}:.* ${permission} of a ${type} of .*:${target}`,
      )
      return [line, ({ refused }: Machine) => refused.push(line), reason] as const
    }),
    [
      'no way to ask',
      (one) => {
        one.mayAsk = false
      },
      /may not ask its policy/,
    ],
    [
      'no_new_privs, for which a right is refused',
      (one) => {
        one.hasNoNewPrivileges = true
        one.refused.push('runtime_t container_t process2 nnp_transition')
      },
      /nnp_transition/,
    ],
  ] as readonly (readonly [string, (one: Machine) => unknown, RegExp])[]) {
    it(`are missing, with the reason: ${what}`, () => {
      const state = stateOf(change)
      assert.ok(state.kind === 'missing')
      assert.match(state.reason, reason)
    })
  }
})

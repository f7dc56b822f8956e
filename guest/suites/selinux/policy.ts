/**
 * A small policy of SELinux, in its intermediate language: processes and files of the host may do and be anything,
 * containers have what is labelled for them and what the kernel shows to everybody. What the policy does not
 * define is allowed. Spec: SELinux CIL reference guide
 */

import { writeFileSync } from 'node:fs'
import { REPOSITORY } from '../../../test/e2e/support/installed.ts'
import { run, temporaryDirectory } from '../../../test/support/peers/index.ts'

/** Initial identifiers of the kernel, in its order. */
const IDENTIFIERS =
  'kernel security unlabeled fs file file_labels init any_socket port netif netmsg node igmp_packet icmp_socket tcp_socket sysctl_modprobe sysctl sysctl_fs sysctl_kernel sysctl_net sysctl_net_unix sysctl_vm sysctl_dev kmod policy scmp_packet devnull'.split(
    ' ',
  )

const FILES =
  'read write open execute execute_no_trans getattr setattr create unlink rename link ioctl map append lock relabelfrom relabelto mounton'

/** What a program is mapped from. */
const READ = 'read open execute getattr map'

const CLASSES: Readonly<Record<string, string>> = {
  process: 'transition dyntransition setexec setsockcreate sigchld',
  file: `${FILES} entrypoint`,
  dir: `${FILES} search add_name remove_name reparent rmdir`,
  lnk_file: FILES,
  chr_file: FILES,
  fifo_file: FILES,
  sock_file: FILES,
  filesystem: 'mount unmount remount getattr associate relabelfrom relabelto',
  fd: 'use',
  unix_stream_socket: 'connectto read write',
}

/** File systems by how their files get labels. */
const FILE_SYSTEMS = {
  xattr: ['ext4', 'overlay'],
  task: ['pipefs', 'sockfs'],
  trans: ['tmpfs', 'devpts', 'mqueue', 'devtmpfs'],
}

/** File systems of the kernel, which containers may read. */
const KERNEL = ['proc', 'sysfs', 'cgroup2', 'cgroup']
const HOST = ['selinuxfs', 'securityfs', '9p', 'rootfs', 'ramfs', 'debugfs', 'tracefs', 'bpf']

const TYPES = [
  ...['kernel_t', 'host_file_t', 'kernel_file_t'],
  ...['container_t', 'container_file_t', 'container_ro_file_t'],
]
const ROLES = ['system_r', 'object_r']
const CATEGORIES = Array.from({ length: 1024 }, (_, index) => `c${index}`)

/** A context of host objects, which have no categories. */
const host = (type: string): string => `(system_u object_r ${type} (low low))`

/** Where the policy is, as the kernel takes it. */
export const POLICY: string = `${REPOSITORY}dist/guest/policy`

/** Makes the policy; the guest sees it. */
export async function compilePolicy(): Promise<void> {
  using directory = temporaryDirectory('policy')
  writeFileSync(directory.file('policy.cil'), policyText())
  const contexts = directory.file('contexts')
  await run('secilc', ['-o', POLICY, '-f', contexts, directory.file('policy.cil')])
}

function policyText(): string {
  const classes = Object.entries(CLASSES)
  const allow = (source: string, target: string, names: readonly string[]): readonly string[] =>
    names.map((name) => `(allow ${source} ${target} (${name} (${CLASSES[name]})))`)
  const all = Object.keys(CLASSES)
  return [
    '(handleunknown allow)',
    '(mls true)',
    ...classes.map(([name, permissions]) => `(class ${name} (${permissions}))`),
    `(classorder (${all.join(' ')}))`,
    ...IDENTIFIERS.map((name) => `(sid ${name})`),
    `(sidorder (${IDENTIFIERS.join(' ')}))`,
    '(sensitivity s0)',
    '(sensitivityorder (s0))',
    ...CATEGORIES.map((name) => `(category ${name})`),
    `(categoryorder (${CATEGORIES.join(' ')}))`,
    '(sensitivitycategory s0 (range c0 c1023))',
    '(level low (s0))',
    '(level high (s0 (range c0 c1023)))',
    '(user system_u)',
    '(userlevel system_u low)',
    '(userrange system_u (low high))',
    ...ROLES.flatMap((role) => [`(role ${role})`, `(userrole system_u ${role})`]),
    '(typeattribute every)',
    ...TYPES.flatMap((type) => [
      `(type ${type})`,
      ...ROLES.map((role) => `(roletype ${role} ${type})`),
    ]),
    `(typeattributeset every (${TYPES.join(' ')}))`,
    ...IDENTIFIERS.map((name) => `(sidcontext ${name} ${contextOf(name)})`),
    ...Object.entries(FILE_SYSTEMS).flatMap(([use, names]) =>
      names.map((name) => `(fsuse ${use} ${name} ${host('host_file_t')})`),
    ),
    ...KERNEL.map((name) => `(genfscon ${name} / ${host('kernel_file_t')})`),
    ...HOST.map((name) => `(genfscon ${name} / ${host('host_file_t')})`),
    ...allow('kernel_t', 'every', all),
    ...['self', 'container_file_t', 'kernel_file_t'].flatMap((target) =>
      allow('container_t', target, all),
    ),
    ...allow('container_t', 'kernel_t', ['fd', 'fifo_file', 'process']),
    `(allow container_t container_ro_file_t (file (${READ})))`,
    ...['container_file_t', 'container_ro_file_t', 'host_file_t'].map(
      (type) => `(allow ${type} every (filesystem (associate)))`,
    ),
    '(mlsconstrain (file (read write execute)) (dom h1 h2))',
    '(mlsconstrain (unix_stream_socket (connectto)) (dom h1 h2))',
  ].join('\n')
}

function contextOf(identifier: string): string {
  if (identifier === 'kernel' || identifier === 'init')
    return '(system_u system_r kernel_t (low high))'
  return host('host_file_t')
}

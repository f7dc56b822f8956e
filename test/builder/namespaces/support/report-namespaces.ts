/**
 * Says as JSON what a process learns of namespaces. Its arguments are names of system calls that a filter
 * refuses from the start; `none` is a filter that refuses none. Without arguments it enters a user namespace
 * if it lacks rights.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { isUserNamespace, lacksRights } from '#builder/linux'
import { missingNamespacesError, reexecInUserNamespace } from '#builder/namespaces'
import { addressOf, numberOfCall, syscall } from '../../../../builder/linux/system/syscalls.ts'

const refused = process.argv.slice(2)
if (refused.length > 0) refuse(refused)
const lacked = process.env.LACKED ?? `${lacksRights()}`
reexecInUserNamespace({ env: { ...process.env, LACKED: lacked } })
const error = missingNamespacesError()
console.log(
  JSON.stringify({
    lacked: lacked === 'true',
    lacks: lacksRights(),
    error: error?.message,
    map: readFileSync('/proc/self/uid_map', 'latin1').trim().replace(/ +/g, ' '),
    namespace: readlinkSync('/proc/self/ns/user'),
    isUserNamespace: isUserNamespace(),
  }),
)

/** `struct sock_filter`, classic BPF: the number of the call, and EPERM for those in the list. */
function refuse(names: readonly string[]): void {
  const numbers = names.flatMap((name) =>
    name === 'none' ? [] : [numberOfCall(name as Parameters<typeof numberOfCall>[0])],
  )
  const code = [
    [0x20, 0, 0],
    ...numbers.flatMap((number) => [
      [0x15, 1, number],
      [0x06, 0, 0x00050001],
    ]),
    [0x06, 0, 0x7fff0000],
  ]
  const filter = Buffer.alloc(code.length * 8)
  code.forEach(([operation = 0, skip = 0, value = 0], index) => {
    filter.writeUInt16LE(operation, index * 8)
    filter.writeUInt8(skip, index * 8 + 3)
    filter.writeUInt32LE(value, index * 8 + 4)
  })
  const program = Buffer.alloc(16)
  program.writeUInt16LE(code.length)
  program.writeBigUInt64LE(addressOf(filter), 8)
  syscall('seccomp', [1, 0, program], 'filter')
}

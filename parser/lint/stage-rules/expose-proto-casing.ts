import { isProtocol, splitPort } from '../rule/port.ts'
import { findingAt, type Rule } from '../rule/rule.ts'

/** ExposeProtoCasing. */
export const exposeProtoCasing: Rule = {
  name: 'ExposeProtoCasing',
  description: 'Protocols of EXPOSE are written in lower case',
  url: 'https://docs.docker.com/go/dockerfile/rule/expose-proto-casing/',
  isExperimental: false,
  order: 21,
  port: (port, { instruction }) => {
    const { protocol } = splitPort(port)
    if (!isProtocol(protocol) || protocol === protocol.toLowerCase()) return []
    const message = `Defined protocol '${port}' in EXPOSE instruction should be lowercase`
    return [findingAt(instruction, message)]
  },
}

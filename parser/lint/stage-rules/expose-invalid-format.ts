import { isProtocol, splitPort } from '../rule/port.ts'
import { findingAt, type Rule } from '../rule/rule.ts'

/** ExposeInvalidFormat. */
export const exposeInvalidFormat: Rule = {
  name: 'ExposeInvalidFormat',
  description: 'EXPOSE names ports of the container, and nothing of the host',
  url: 'https://docs.docker.com/go/dockerfile/rule/expose-invalid-format/',
  isExperimental: false,
  order: 22,
  port: (port, { instruction }) => {
    const { host, protocol } = splitPort(port)
    if (!isProtocol(protocol) || !/[^:]/.test(host)) return []
    const message = `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`
    return [findingAt(instruction, message)]
  },
}

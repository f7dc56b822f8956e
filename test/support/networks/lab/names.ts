/**
 * A name server on the address that is its first argument. It knows `known.test` as the second one, and
 * `many.test`, which has more addresses than fit into 512 bytes.
 */
import { answerTo, NameServer } from './name-server.ts'

const [address = '', known = ''] = process.argv.slice(2)
const many = Array.from({ length: 60 }, (_, index) => ['A', `192.0.2.${index + 1}`] as const)
const TRUNCATED = 0x8380

await NameServer.start((asked) => {
  if (!/^(known|many)\.test$/i.test(asked.name)) return [answerTo(asked, [], { rcode: 3 })]
  if (asked.type !== 1) return [answerTo(asked, [])]
  if (asked.name.toLowerCase() === 'known.test') return [answerTo(asked, [['A', known]])]
  const isShort = asked.over === 'udp'
  return [isShort ? answerTo(asked, [], { flags: TRUNCATED }) : answerTo(asked, many)]
}, address)
process.stdout.write('ready to know names\n')

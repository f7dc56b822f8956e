/** The spellings of IPv6 for an IPv4 address. */
export function formsOf(address: string): readonly string[] {
  const bytes = address.split('.').map(Number)
  const hex = (list: readonly number[]): string =>
    list.map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const [a, b] = [hex(bytes.slice(0, 2)), hex(bytes.slice(2))]
  const [c, d] = [a, b].map((group) => (0xffff ^ Number.parseInt(group, 16)).toString(16))
  return [
    `::ffff:${a}:${b}`,
    `::ffff:${address}`,
    `::${a}:${b}`,
    `::ffff:0:${a}:${b}`,
    `64:ff9b::${a}:${b}`,
    `64:ff9b::${address}`,
    `64:ff9b:1::${a}:${b}`,
    `64:ff9b:1:fffe:1:2:${a}:${b}`,
    `64:ff9b:1:${a}:${b.slice(0, 2)}:${b.slice(2)}00::`,
    `2002:${a}:${b}::1`,
    `2002:${a}:${b}:1:2:3:4:5`,
    `2001:0:1:2:3:4:${c}:${d}`,
    `2001:db8::5efe:${a}:${b}`,
    `fe80::200:5efe:${a}:${b}`,
  ]
}

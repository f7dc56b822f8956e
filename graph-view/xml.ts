declare const markup: unique symbol

/** Finished XML: only `element` and `escaped` make it, so that no text can pass for it. */
export type Markup = string & { readonly [markup]: true }

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as XML. Characters that XML has no way to write become U+FFFD. */
export function escaped(text: string): Markup {
  const legal = text.replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
  return legal.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '') as Markup
}

/** An element with its attributes, those that are undefined left out, and what is in it. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  ...children: readonly (Markup | readonly Markup[])[]
): Markup {
  const pairs = Object.entries(attributes).flatMap(([key, value]) => {
    return value === undefined ? [] : [` ${key}="${escaped(String(value))}"`]
  })
  const content = children.flat().join('')
  const tag = `${name}${pairs.join('')}`
  return (content === '' ? `<${tag}/>` : `<${tag}>${content}</${name}>`) as Markup
}

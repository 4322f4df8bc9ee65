// SPDX-License-Identifier: MIT
//
// Words with places in them, `Begin with chapter {number}`. Pages and scripts alike fill them here.

/** `{name}` in a text replaced by its value; a name without a value stays as it is. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

// SPDX-License-Identifier: MIT
//
// Runs inside the browser page, on the SVG that Mermaid drew: leaves shapes, positions and text, and turns each computed
// colour into the class of its role. No `<style>`, no style attribute, no id that another diagram may have.
// It is sent to the page as text, so it may use nothing from outside its own body.

/** Cleans `svg` (in the document) and returns its text. `roles` maps role → hex colour. */
export function cleanDiagram(id: string, roles: Record<string, string>): string {
  const svg = document.querySelector('svg')!
  const rgbOf = (hex: string): number[] => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))
  const palette = Object.entries(roles).map(([role, hex]) => ({ role, rgb: rgbOf(hex) }))
  /** The role whose colour is nearest; null for no paint. */
  const roleOf = (paint: string): string | null => {
    const numbers = paint.match(/[\d.]+/g)?.map(Number)
    if (!paint.startsWith('rgb') || !numbers || numbers[3] === 0) return null
    const distance = (rgb: number[]): number =>
      rgb.reduce((sum, value, at) => sum + (value - numbers[at]!) ** 2, 0)
    return palette.reduce((best, next) => (distance(next.rgb) < distance(best.rgb) ? next : best)).role
  }
  const KEPT = [
    'font-weight',
    'font-style',
    'text-anchor',
    'dominant-baseline',
    'stroke-dasharray',
    'stroke-width',
  ]
  const PLAIN: Record<string, string[]> = {
    'font-weight': ['400', 'normal'],
    'font-style': ['normal'],
    'text-anchor': ['start'],
    'dominant-baseline': ['auto'],
    'stroke-dasharray': ['none', '0px'],
    'stroke-width': ['1px'],
  }
  const shapes = new Set([
    'rect',
    'path',
    'circle',
    'ellipse',
    'polygon',
    'polyline',
    'line',
    'text',
    'tspan',
  ])

  svg.querySelectorAll('foreignObject, script, filter, linearGradient').forEach((element) => element.remove())
  const elements = [...svg.querySelectorAll('*')]
  // All is computed before anything is changed: the style sheet is about to go.
  const painted = elements.map((element) => {
    const style = getComputedStyle(element)
    const name = element.localName
    if (!shapes.has(name)) return null
    const text = name === 'text' || name === 'tspan'
    const accent = element.closest('.accent') !== null
    const fill = roleOf(style.fill)
    const classes = [
      fill === null ? 'dg-nofill' : accent && fill === 'node' ? 'dg-accent' : `dg-${fill}`,
      ...(!text && roleOf(style.stroke) !== null && style.strokeWidth !== '0px'
        ? [`dg-s-${roleOf(style.stroke)}`]
        : []),
    ]
    const kept = KEPT.filter(
      (property) =>
        (text ? !property.startsWith('stroke') : property.startsWith('stroke')) &&
        !PLAIN[property]!.includes(style.getPropertyValue(property)),
    ).map((property) => [property, style.getPropertyValue(property).replace(/px/g, '')] as const)
    const size = parseFloat(style.fontSize)
    return {
      classes: name === 'tspan' ? [] : classes,
      kept,
      size: name === 'text' && size !== 14 ? size : null,
    }
  })

  const used = new Set(
    [...svg.outerHTML.matchAll(/url\(["']?#([^)"']+)["']?\)|(?:xlink:)?href="#([^"]+)"/g)].map(
      (m) => m[1] ?? m[2],
    ),
  )
  const names = new Map<string, string>()
  elements.forEach((element, at) => {
    const paint = painted[at]
    for (const attribute of [...element.attributes]) {
      const { name, value } = attribute
      if (
        [
          'style',
          'class',
          'fill',
          'stroke',
          'font-family',
          'font-size',
          'alignment-baseline',
          'filter',
        ].includes(name)
      )
        element.removeAttribute(name)
      else if (
        name.startsWith('data-') ||
        name.startsWith('aria-') ||
        name === 'role' ||
        name === 'name' ||
        name === 'xml:space'
      )
        element.removeAttribute(name)
      else if (name === 'id') {
        if (used.has(value)) names.set(value, `${id}-m${names.size + 1}`)
        else element.removeAttribute('id')
      }
    }
    if (!paint) return
    for (const property of KEPT) element.removeAttribute(property)
    if (paint.classes.length > 0) element.setAttribute('class', paint.classes.join(' '))
    for (const [property, value] of paint.kept) element.setAttribute(property, value)
    if (paint.size !== null) element.setAttribute('font-size', String(paint.size))
  })
  svg.querySelectorAll('style').forEach((element) => element.remove())
  const empty = (element: Element): boolean =>
    (['g', 'text', 'tspan', 'defs'].includes(element.localName) && element.childNodes.length === 0) ||
    (element.localName === 'rect' && !(Number(element.getAttribute('width')) > 0)) ||
    ((element.localName === 'marker' || element.localName === 'symbol') &&
      !used.has(element.id) &&
      !names.has(element.id) &&
      element.id === '')
  for (let pass = 0; pass < 6; pass++)
    svg.querySelectorAll('*').forEach((element) => empty(element) && element.remove())
  for (const element of svg.querySelectorAll('*')) {
    if (names.has(element.id)) element.id = names.get(element.id)!
    for (const attribute of element.attributes) {
      attribute.value = attribute.value
        .replace(/url\(["']?#([^)"']+)["']?\)/g, (whole, name: string) =>
          names.has(name) ? `url(#${names.get(name)})` : whole,
        )
        .replace(/-?\d+\.\d{3,}/g, (number) => String(Math.round(Number(number) * 100) / 100))
    }
  }
  const [title, description] = [svg.querySelector('title'), svg.querySelector('desc')]
  title?.setAttribute('id', `${id}-title`)
  description?.setAttribute('id', `${id}-desc`)
  const box = svg.getAttribute('viewBox')!.split(/\s+/).map(Number)
  for (const attribute of [...svg.attributes])
    if (!attribute.name.startsWith('xmlns')) svg.removeAttribute(attribute.name)
  svg.setAttribute('viewBox', box.map((value) => Math.round(value * 100) / 100).join(' '))
  svg.setAttribute('width', String(Math.ceil(box[2]!)))
  svg.setAttribute('height', String(Math.ceil(box[3]!)))
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-labelledby', `${id}-title ${id}-desc`)
  return new XMLSerializer()
    .serializeToString(svg)
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/ xmlns:xlink="[^"]*"/, '')
    .replace(/>\s*\n\s*</g, '><')
}

// SPDX-License-Identifier: MIT
//
// <contig-number>: a number in the prose that changes a picture. It is text, and stays so in print; in the page a slider
// lies over it, unseen, so that it takes the focus, the arrow keys and a screen reader's gestures like any other, and the
// text itself can be drawn sideways with a mouse or a finger.

/** How far the pointer goes for one step. */
const PIXELS_A_STEP = 8

export class ContigNumber extends HTMLElement {
  private readonly input = document.createElement('input')

  private data(name: string): string {
    return this.dataset[name] ?? ''
  }

  connectedCallback(): void {
    if (this.input.isConnected) return
    const { input } = this
    input.type = 'range'
    for (const name of ['min', 'max', 'step'] as const) input[name] = this.data(name)
    input.value = this.data('value')
    input.setAttribute('aria-label', this.data('label'))
    input.addEventListener('input', () => this.changed())
    this.append(input)
    this.show()
    this.addEventListener('pointerdown', (event) => this.drag(event))
  }

  private get shown(): string {
    return this.data('text').replace('#', this.input.value)
  }

  private show(): void {
    this.querySelector('span')!.textContent = this.shown
    this.input.setAttribute('aria-valuetext', this.shown)
  }

  private changed(): void {
    this.show()
    const [id = '', parameter = ''] = this.data('drag').split('.')
    const widget = document.getElementById(id)
    if (!widget) return
    const scenario = JSON.parse(widget.dataset['scenario'] ?? '{}') as Record<string, unknown>
    widget.dataset['changed'] = ''
    widget.dataset['scenario'] = JSON.stringify({ ...scenario, [parameter]: Number(this.input.value) })
  }

  private drag(down: PointerEvent): void {
    if (down.button !== 0) return
    down.preventDefault()
    this.input.focus()
    const from = Number(this.input.value)
    const step = Number(this.data('step'))
    const moved = (event: PointerEvent): void => {
      const steps = Math.round((event.clientX - down.clientX) / PIXELS_A_STEP)
      const before = this.input.value
      // The input keeps it between its ends.
      this.input.value = String(from + steps * step)
      if (this.input.value !== before) this.changed()
    }
    const ended = new AbortController()
    this.setPointerCapture(down.pointerId)
    this.addEventListener('pointermove', moved, { signal: ended.signal })
    for (const end of ['pointerup', 'pointercancel'] as const)
      this.addEventListener(end, () => ended.abort(), { signal: ended.signal })
  }
}

customElements.define('contig-number', ContigNumber)

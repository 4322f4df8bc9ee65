// SPDX-License-Identifier: MIT
//
// What a reader does with a map by hand: draw it along, bring it nearer with two fingers or the wheel, point at a page,
// and the keys. Points are those of CSS, from the canvas's upper left corner.

export interface MapWishes {
  readonly pan: (dx: number, dy: number) => void
  readonly zoom: (factor: number, x: number, y: number) => void
  readonly point: (x: number, y: number) => void
  /** A mouse that only passes over a page. */
  readonly pass: (x: number, y: number) => void
  /** One of `KEYS`; false when nothing was done, and the key is the page's. */
  readonly key: (key: string) => boolean
}

/** How far a pointer goes before it draws the map along and does not point. */
const SLACK = 4

interface Finger {
  x: number
  y: number
}

function usePointers(canvas: HTMLElement, wishes: MapWishes): void {
  const fingers = new Map<number, Finger>()
  let travelled = 0
  const at = (event: PointerEvent): Finger => ({ x: event.offsetX, y: event.offsetY })
  const spread = ([a, b]: Finger[]): number => Math.hypot(a!.x - b!.x, a!.y - b!.y)

  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return
    canvas.setPointerCapture(event.pointerId)
    fingers.set(event.pointerId, at(event))
    travelled = 0
  })
  canvas.addEventListener('pointermove', (event) => {
    const finger = fingers.get(event.pointerId)
    const now = at(event)
    if (!finger) return wishes.pass(now.x, now.y)
    const before = [...fingers.values()].map((each) => ({ ...each }))
    const [dx, dy] = [now.x - finger.x, now.y - finger.y]
    Object.assign(finger, now)
    const after = [...fingers.values()]
    travelled += Math.hypot(dx, dy)
    if (after.length === 2) {
      const [a, b] = after as [Finger, Finger]
      wishes.zoom(spread(after) / Math.max(1, spread(before)), (a.x + b.x) / 2, (a.y + b.y) / 2)
    }
    if (travelled > SLACK) wishes.pan(dx / after.length, dy / after.length)
  })
  for (const end of ['pointerup', 'pointercancel'] as const)
    canvas.addEventListener(end, (event) => {
      if (fingers.delete(event.pointerId) && end === 'pointerup' && travelled <= SLACK) {
        const { x, y } = at(event)
        wishes.point(x, y)
      }
    })
}

/** Listens on the canvas. The wheel turns the page, unless the map has the focus or Control is held. */
export function useGestures(canvas: HTMLElement, wishes: MapWishes): void {
  usePointers(canvas, wishes)
  canvas.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas) return
      event.preventDefault()
      wishes.zoom(
        Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.002)),
        event.offsetX,
        event.offsetY,
      )
    },
    { passive: false },
  )
  canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (wishes.key(event.key)) event.preventDefault()
  })
}

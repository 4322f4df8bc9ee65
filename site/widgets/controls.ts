// SPDX-License-Identifier: MIT
//
// The strip below a stage: back, play, forward, a slider over the steps, and which of how many this is. It says what the
// reader wants and is told what to show; it knows no frames.
import { fill } from '../client/words.ts'
import type { WidgetText } from '../text/en_widgets.ts'

export interface Controls {
  readonly element: HTMLElement
  show(state: { readonly at: number; readonly count: number; readonly playing: boolean }): void
}

export interface Wishes {
  /** To a step, 0-based; beyond either end is that end. */
  readonly go: (at: number) => void
  readonly play: () => void
}

const ICONS = {
  back: 'M10 3 5 8l5 5',
  forward: 'M6 3l5 5-5 5',
  play: 'M5 3v10l8-5z',
  pause: 'M5 3v10M11 3v10',
}

function icon(name: keyof typeof ICONS): string {
  return `<svg viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path class="icon-${name}" d="${ICONS[name]}"/></svg>`
}

function button(name: keyof typeof ICONS, label: string, action: () => void): HTMLButtonElement {
  const made = document.createElement('button')
  made.type = 'button'
  made.innerHTML = icon(name)
  made.setAttribute('aria-label', label)
  made.addEventListener('click', action)
  return made
}

export function makeControls(words: WidgetText['controls'], title: string, wishes: Wishes): Controls {
  const element = document.createElement('div')
  element.className = 'widget-controls'
  element.setAttribute('role', 'group')
  element.setAttribute('aria-label', title)
  const slider = document.createElement('input')
  const counter = document.createElement('span')
  const step = (): number => Number(slider.value)
  const back = button('back', words.back, () => wishes.go(step() - 1))
  const play = button('play', words.play, wishes.play)
  const forward = button('forward', words.forward, () => wishes.go(step() + 1))
  slider.type = 'range'
  slider.min = '0'
  slider.setAttribute('aria-label', words.step)
  slider.addEventListener('input', () => wishes.go(step()))
  counter.setAttribute('aria-hidden', 'true')
  element.append(back, play, forward, slider, counter)
  return {
    element,
    show: ({ at, count, playing }) => {
      slider.max = String(count - 1)
      slider.value = String(at)
      const said = fill(words.count, { at: at + 1, count })
      slider.setAttribute('aria-valuetext', said)
      counter.textContent = said
      // Not `disabled`: a button that is pressed to the end would lose the focus.
      back.setAttribute('aria-disabled', String(at === 0))
      forward.setAttribute('aria-disabled', String(at === count - 1))
      play.setAttribute('aria-label', playing ? words.pause : words.play)
      play.innerHTML = icon(playing ? 'pause' : 'play')
    },
  }
}

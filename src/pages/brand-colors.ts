// The brand's colour, where it must be read: as it is on buttons, and shaded until it can be read as a link.

import { contrast, readableOn } from '../contrast.ts'

/** WCAG 2.2's measure for text (1.4.3, AA), with some room for rounding. */
const READABLE = 4.6
const STEPS = 20

/** The stylesheet's share of the brand. */
export interface BrandColors {
  readonly button: string
  readonly onButton: string
  /** For links and outlines on light pages. */
  readonly light: string
  /** For links and outlines on dark pages. */
  readonly dark: string
}

/**
 * Colours for the stylesheet.
 * @param color the brand's, `#rrggbb`
 * @param lightBackgrounds what links stand on by day
 * @param darkBackgrounds what links stand on by night
 */
export function brandColors(
  color: string,
  lightBackgrounds: readonly string[],
  darkBackgrounds: readonly string[],
): BrandColors {
  return {
    button: color,
    onButton: readableOn(color),
    light: shadeUntilReadable(color, '#000000', lightBackgrounds),
    dark: shadeUntilReadable(color, '#ffffff', darkBackgrounds),
  }
}

function shadeUntilReadable(
  color: string,
  towards: string,
  backgrounds: readonly string[],
): string {
  for (let step = 0; step < STEPS; step++) {
    const shade = mix(color, towards, step / STEPS)
    if (backgrounds.every((background) => contrast(shade, background) >= READABLE)) return shade
  }
  return towards
}

/** `share` of `other` in `color`, channel by channel. */
function mix(color: string, other: string, share: number): string {
  const channel = (at: number) => {
    const [from, to] = [color, other].map((text) => Number.parseInt(text.slice(at, at + 2), 16))
    const value = Math.round((from ?? 0) * (1 - share) + (to ?? 0) * share)
    return value.toString(16).padStart(2, '0')
  }
  return `#${channel(1)}${channel(3)}${channel(5)}`
}

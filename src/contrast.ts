// Which text can be read on a colour, by WCAG 2's measure. The brand's colour is the operator's choice; that
// the button stays readable is ours.

const BLACK = '#000000'
const WHITE = '#ffffff'

/**
 * The contrast ratio of two colours, after WCAG 2.2.
 * @param one `#rrggbb`
 * @param other `#rrggbb`
 * @returns 1 (the same) to 21 (black and white)
 */
export function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

/**
 * The better of black and white. It has a contrast of at least 4.58 (the root of 21) on any colour: that is
 * why it is pure black and not a softer one.
 * @param color `#rrggbb`
 * @returns the colour for text on it
 */
export function readableOn(color: string): string {
  return contrast(color, WHITE) >= contrast(color, BLACK) ? WHITE : BLACK
}

/** WCAG 2.2's relative luminance, 0 (black) to 1 (white). */
function luminance(color: string): number {
  const channel = (at: number) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

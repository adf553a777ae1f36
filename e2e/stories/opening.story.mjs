// A newcomer opens the address that the demo printed.

export const title = 'opening the portal'

export const steps = {
  'the sign-in page opens under the name of the platform': async (world) => {
    const page = await world.page('newcomer')
    await page.goto('/')
    await page.getByRole('textbox').first().waitFor()
    const name = await page.title()
    if (!name.includes('通衢')) throw new Error(`the page is called “${name}”`)
  },
}

/** Whether Heed runs on Windows. */
export const onWindows: boolean = globalThis.process?.platform === 'win32'

export function buildWasm(folder?: string): string[]
export function hasSameCompiler(): boolean
export function hashOfSources(): string
export function hashOfFile(folder: string, name: string): string
export function recorded(): { compiler: string; sources: string; files: Record<string, string> }

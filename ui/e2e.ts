/** What the end-to-end tests, which live in `tests/e2e`, take from the packages of this folder. */
export { type Locator, type Page, expect, test } from "@playwright/test";
export { default as axe } from "axe-core";

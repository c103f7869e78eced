import test from "ava";
import { testOps } from "./matrix.js";

testOps(test.serial, "cpu");

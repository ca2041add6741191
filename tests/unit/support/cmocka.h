/* support: cmocka with the headers it wants before it. */
#ifndef NGFF_TEST_SUPPORT_CMOCKA_H
#define NGFF_TEST_SUPPORT_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif

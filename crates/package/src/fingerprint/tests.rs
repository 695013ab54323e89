use expect_test::{Expect, expect};

use super::{canonical, file_fingerprint, service_fingerprint};

const ECHO: &str = r#"
// Comments do not count.
syntax = "proto3";
package echo;
service EchoService { rpc Echo(EchoRequest) returns (EchoResponse); }
message EchoResponse { uint64 timestamp = 2; string reply = 1; }
message EchoRequest { string message = 1; }
"#;

#[test]
fn the_examples_of_the_specification() {
    let file = file_fingerprint("echo.proto", ECHO).expect("compiles");
    assert_eq!(file, "semantic:94251c55ce69cc88b6e7ac77dc3a1fc3a8c899856ff47661ebca0f0cfe6cd317");
    let service = |name| service_fingerprint([(name, ECHO)]).expect("compiles");
    assert_eq!(
        service("echo.proto"),
        "service_semantic:0d0d204d724cafc1cb8fd5d6f68ca683d9f6546c6e70deab75781a2f4230a755"
    );
    assert_eq!(
        service("proto/echo.proto"),
        "service_semantic:0c0c4ebe3eb2747ca1045027bd4a486cab5296ae58deee9f5c5da7fad3420e52"
    );
}

#[test]
fn order_of_files_does_not_count() {
    let other = "syntax = \"proto3\"; message M {}";
    let forth = service_fingerprint([("a.proto", ECHO), ("b.proto", other)]).expect("compiles");
    let back = service_fingerprint([("b.proto", other), ("a.proto", ECHO)]).expect("compiles");
    assert_eq!(forth, back);
}

fn check(text: &str, expected: &Expect) {
    let shown = canonical("x.proto", text).unwrap_or_else(|error| error.to_string());
    expected.assert_eq(&shown);
}

#[test]
fn every_kind_of_member() {
    check(
        r#"
        syntax = "proto2";
        package a.b;
        import "google/protobuf/timestamp.proto";
        option go_package = "x/y"; option optimize_for = LITE_RUNTIME; option java_multiple_files = true;
        message M {
            reserved 20 to 29, 10; reserved "z", "y";
            extensions 100 to 199;
            required string s = 2 [default = "a\"é\n"];
            optional bytes b = 1 [default = "\001z"];
            optional double d = 3 [default = 10.0, deprecated = true];
            optional float f = 4 [default = inf];
            repeated int32 r = 5 [packed = true];
            optional google.protobuf.Timestamp at_time = 6;
            map<string, E> my_map = 7;
            oneof two { int32 x = 8; int32 w = 9; }
            optional E e = 11 [default = B, json_name = "eee"];
        }
        enum E { option allow_alias = true; C = 1; B = 1; A = 0; reserved 5 to 7; }
        extend M { optional int32 ext = 100; }
        service S {
            rpc Z(M) returns (stream M) { option idempotency_level = IDEMPOTENT; }
            rpc A(stream M) returns (M);
        }
        "#,
        &expect![[r#"
            {
              "package": "a.b",
              "syntax": "proto2",
              "imports": [
                "google/protobuf/timestamp.proto"
              ],
              "messages": [
                {
                  "name": "M",
                  "fields": [
                    {
                      "name": "b",
                      "number": 1,
                      "type_name": "bytes",
                      "default": "\\001z",
                      "json_name": "b",
                      "options": {
                        "default": "\\001z",
                        "json_name": "b"
                      }
                    },
                    {
                      "name": "s",
                      "number": 2,
                      "label": "required",
                      "type_name": "string",
                      "default": "a\"é\n",
                      "json_name": "s",
                      "options": {
                        "default": "a\"é\n",
                        "json_name": "s"
                      }
                    },
                    {
                      "name": "d",
                      "number": 3,
                      "type_name": "double",
                      "default": "10",
                      "json_name": "d",
                      "deprecated": true,
                      "options": {
                        "default": "10",
                        "deprecated": "true",
                        "json_name": "d"
                      }
                    },
                    {
                      "name": "f",
                      "number": 4,
                      "type_name": "float",
                      "default": "inf",
                      "json_name": "f",
                      "options": {
                        "default": "inf",
                        "json_name": "f"
                      }
                    },
                    {
                      "name": "r",
                      "number": 5,
                      "label": "repeated",
                      "type_name": "int32",
                      "json_name": "r",
                      "options": {
                        "json_name": "r",
                        "packed": "true"
                      }
                    },
                    {
                      "name": "at_time",
                      "number": 6,
                      "type_name": ".google.protobuf.Timestamp",
                      "json_name": "atTime",
                      "options": {
                        "json_name": "atTime"
                      }
                    },
                    {
                      "name": "my_map",
                      "number": 7,
                      "label": "repeated",
                      "type_name": ".a.b.M.MyMapEntry",
                      "json_name": "myMap",
                      "options": {
                        "json_name": "myMap"
                      }
                    },
                    {
                      "name": "x",
                      "number": 8,
                      "type_name": "int32",
                      "oneof_index": 0,
                      "json_name": "x",
                      "options": {
                        "json_name": "x"
                      }
                    },
                    {
                      "name": "w",
                      "number": 9,
                      "type_name": "int32",
                      "oneof_index": 0,
                      "json_name": "w",
                      "options": {
                        "json_name": "w"
                      }
                    },
                    {
                      "name": "e",
                      "number": 11,
                      "type_name": ".a.b.E",
                      "default": "B",
                      "json_name": "eee",
                      "options": {
                        "default": "B",
                        "json_name": "eee"
                      }
                    }
                  ],
                  "nested_messages": [
                    {
                      "name": "MyMapEntry",
                      "fields": [
                        {
                          "name": "key",
                          "number": 1,
                          "type_name": "string",
                          "json_name": "key",
                          "options": {
                            "json_name": "key"
                          }
                        },
                        {
                          "name": "value",
                          "number": 2,
                          "type_name": ".a.b.E",
                          "json_name": "value",
                          "options": {
                            "json_name": "value"
                          }
                        }
                      ]
                    }
                  ],
                  "oneofs": [
                    "two"
                  ],
                  "reserved_ranges": [
                    {
                      "start": 10,
                      "end": 11
                    },
                    {
                      "start": 20,
                      "end": 30
                    }
                  ],
                  "reserved_names": [
                    {
                      "name": "y"
                    },
                    {
                      "name": "z"
                    }
                  ],
                  "extension_ranges": [
                    {
                      "start": 100,
                      "end": 200
                    }
                  ]
                }
              ],
              "enums": [
                {
                  "name": "E",
                  "values": [
                    {
                      "name": "A",
                      "number": 0
                    },
                    {
                      "name": "B",
                      "number": 1
                    },
                    {
                      "name": "C",
                      "number": 1
                    }
                  ],
                  "reserved_ranges": [
                    {
                      "start": 5,
                      "end": 7
                    }
                  ],
                  "allow_alias": true,
                  "options": {
                    "allow_alias": "true"
                  }
                }
              ],
              "services": [
                {
                  "name": "S",
                  "methods": [
                    {
                      "name": "A",
                      "input_type": ".a.b.M",
                      "output_type": ".a.b.M",
                      "client_streaming": true
                    },
                    {
                      "name": "Z",
                      "input_type": ".a.b.M",
                      "output_type": ".a.b.M",
                      "server_streaming": true,
                      "idempotency_level": "IDEMPOTENT"
                    }
                  ]
                }
              ],
              "extensions": [
                {
                  "name": "ext",
                  "number": 100,
                  "extendee": ".a.b.M",
                  "type_name": "int32"
                }
              ],
              "go_package": "x/y",
              "java_multiple_files": true,
              "optimize_for": "LITE_RUNTIME"
            }"#]],
    );
}

#[test]
fn proto3_optional_adds_a_oneof() {
    check(
        "syntax = \"proto3\"; message M { optional int32 a = 1; oneof o { int32 b = 2; } }",
        &expect![[r#"
        {
          "syntax": "proto3",
          "messages": [
            {
              "name": "M",
              "fields": [
                {
                  "name": "a",
                  "number": 1,
                  "type_name": "int32",
                  "oneof_index": 1,
                  "json_name": "a",
                  "options": {
                    "json_name": "a"
                  }
                },
                {
                  "name": "b",
                  "number": 2,
                  "type_name": "int32",
                  "oneof_index": 0,
                  "json_name": "b",
                  "options": {
                    "json_name": "b"
                  }
                }
              ],
              "oneofs": [
                "o",
                "_a"
              ]
            }
          ]
        }"#]],
    );
}

#[test]
fn what_does_not_compile_alone_has_no_fingerprint() {
    check(
        "syntax = \"proto3\"; import \"other.proto\"; message M { other.T t = 1; }",
        &expect!["x.proto: name 'other.T' is not defined"],
    );
    check("message {", &expect!["x.proto: expected an identifier, but found '{'"]);
    check(
        "syntax = \"proto3\"; import \"google/protobuf/nothing.proto\";",
        &expect!["x.proto: import 'google/protobuf/nothing.proto' not found"],
    );
    check(&"message M {".repeat(200), &expect!["x.proto: reached maximum recursion limit for nested messages"]);
    check(
        "syntax = \"proto3\"; import \"actr/options.proto\";",
        &expect![[r#"
        {
          "syntax": "proto3",
          "imports": [
            "actr/options.proto"
          ]
        }"#]],
    );
}

{ t.list = [ "once" ]; }

import "reflect-metadata";
import {
    Body,
    Controller,
    Get,
    HttpException,
    Injectable,
    Inject,
    Module,
    Param,
    Post,
    Query,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

@Injectable()
class Greetings {
    hello(name: string) {
        return { hello: name };
    }
}

@Controller()
class AppController {
    constructor(@Inject(Greetings) private readonly greetings: Greetings) {}

    @Get()
    page() {
        return "<h1>Welcome</h1>";
    }

    @Get("hello/:name")
    hello(@Param("name") name: string, @Query("x") x: string) {
        return { ...this.greetings.hello(name), x };
    }

    @Post("form")
    form(@Body() body: { name: string }) {
        return { name: body.name };
    }

    @Get("teapot")
    teapot() {
        throw new HttpException("Short and stout", 418);
    }
}

@Module({ controllers: [AppController], providers: [Greetings] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(process.env.PORT ?? 3000);
